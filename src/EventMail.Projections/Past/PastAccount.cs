using EventMail.Domain;
using EventMail.Domain.Mailboxes;
using EventMail.EventStore;

namespace EventMail.Projections.Past;

/// <summary>An account's mailboxes as of an instant.</summary>
/// <param name="Account">Its id.</param>
/// <param name="Mailboxes">Its own, in LIST's order.</param>
public sealed record PastAccount(string Account, DateTimeOffset Instant, IReadOnlyList<PastMailbox> Mailboxes)
{
    // Names that a refusal says: it is one line for a person.
    private const int NamedMailboxes = 10;

    /// <summary>The mailbox that was called so then; the refusal says which names there were.</summary>
    public Result<PastMailbox> Find(string name)
    {
        name = MailboxName.Canonical(name);
        return Mailboxes.FirstOrDefault(mailbox => mailbox.Name == name) is { } found
            ? found
            : new Rejection(RejectionKind.NonExistent, $"No such mailbox at {PastInstant.Of(Instant)}; there {NamesThen()}");
    }

    private string NamesThen()
    {
        if (Mailboxes.Count == 0)
            return "was none";
        // A refusal is ASCII: other names are counted.
        List<string> named = [.. Mailboxes.Select(mailbox => mailbox.Name).Where(name => name.All(char.IsAscii)).Take(NamedMailboxes)];
        if (Mailboxes.Count > named.Count)
            named.Add($"{Mailboxes.Count - named.Count} more");
        return $"{(Mailboxes.Count == 1 ? "was" : "were")} {string.Join(", ", named)}";
    }
}

/// <summary>A mailbox as of an instant.</summary>
/// <param name="Version">Of its stream then: HIGHESTMODSEQ.</param>
/// <param name="SpecialUse">An attribute of RFC 6154 such as \Sent, or null.</param>
public sealed record PastMailbox(StreamKey Key, string Name, long Version, uint UidValidity, string? SpecialUse, bool HasChildren);
