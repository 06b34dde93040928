using EventMail.EventStore;

namespace EventMail.Projections;

/// <summary>
/// The members of events that are sealed under the key of the account whose stream it is (decision 40): addresses, names, client addresses, and
/// text in which such may stand. docs/events.md is checked against it.
/// </summary>
public static class PersonalFields
{
    private static readonly string[] Checked = ["Authentication.ClientIp", "Authentication.Helo", "Authentication.ReverseName?"];

    // Folded: states and read models are made of what is sealed. Nothing is folded from who sent a message that is in a mailbox.
    private static readonly (string Alias, bool Folded, string[] Members)[] Table =
    [
        ("message_received", false, ["ReversePath", "Recipient", "MessageId?", .. Checked]),
        ("message_appended", false, ["MessageId?"]),
        ("message_refused", false, ["ReversePath", "Recipient", "MessageId?", "Reply", .. Checked]),
        ("message_discarded", false, ["ReversePath", "Recipient", "MessageId?", .. Checked]),
        ("metadata_set", true, ["Entries[]"]),
        ("account_opened", true, ["Address"]),
        ("account_closed", true, ["Address"]),
        ("account_reopened", true, ["Address"]),
        ("account_suspended", true, ["Reason?"]),
        ("app_password_issued", true, ["Name"]),
        ("app_password_revoked", true, ["Name"]),
        ("send_as_granted", true, ["Address"]),
        ("send_as_revoked", true, ["Address"]),
        ("read_audit_begun", false, ["Reason?"]),
        ("read_audit_ended", false, ["Reason?"]),
        ("login_succeeded", true, ["Client"]),
        ("login_failed", false, ["User", "Client"]),
        ("login_throttled", true, ["Source", "User"]),
        ("credentials_captured", false, ["User", "Password?", "Client"]),
        ("message_submitted", true, ["Sender", "MessageId?", "EnvelopeId?", "Recipients.Address", "Recipients.OriginalRecipient?"]),
        ("delivery_attempted", true, ["Text"]),
        ("recipient_delivered", true, ["Text"]),
        ("delivery_deferred", true, ["Text"]),
        ("recipient_failed", true, ["Text"]),
        ("bounce_issued", true, ["MessageId?"]),
        ("delivery_cancelled", true, ["Reason?"]),
        ("delivery_held", true, ["Reason?"]),
    ];

    /// <summary>The sealed members by the event's alias, with dots between the names of members within members.</summary>
    public static IReadOnlyDictionary<string, IReadOnlyList<string>> Members { get; } =
        Table.ToDictionary(row => row.Alias, row => new PersonalMembers(row.Folded, row.Members).Paths, StringComparer.Ordinal);

    internal static void Seal(EventTypeMap map)
    {
        foreach (var (alias, folded, members) in Table)
            map.Seal(alias, new(folded, members));
    }
}
