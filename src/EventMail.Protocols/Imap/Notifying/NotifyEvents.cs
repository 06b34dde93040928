using System.Text;

namespace EventMail.Protocols.Imap.Notifying;

/// <summary>RFC 5465 §5.</summary>
[Flags]
internal enum NotifyEvents : byte
{
    None = 0,
    MessageNew = 1,
    MessageExpunge = 2,
    FlagChange = 4,
    MailboxName = 8,
    SubscriptionChange = 16,
    MailboxMetadataChange = 32,
    ServerMetadataChange = 64,

    /// <summary>Always asked for together.</summary>
    Counts = MessageNew | MessageExpunge,

    /// <summary>message-event: what SELECTED may ask for.</summary>
    OfMessages = Counts | FlagChange,
}

/// <summary>event (RFC 5465 §8). AnnotationChange is known to the grammar, and not supported.</summary>
internal static class NotifyEventNames
{
    private static readonly (string Name, NotifyEvents Event)[] All =
    [
        .. Enum.GetValues<NotifyEvents>().Where(e => byte.IsPow2((byte)e)).Select(e => (e.ToString(), e)),
    ];

    /// <summary>RFC 5465 §3.1: BADEVENT names what there is instead.</summary>
    public static readonly string BadEvent = $"BADEVENT ({string.Join(' ', All.Select(row => row.Name))})";

    /// <summary><see cref="NotifyEvents.None"/> for one that is not supported.</summary>
    public static NotifyEvents Find(ReadOnlySpan<byte> name)
    {
        foreach (var (known, value) in All)
        {
            if (Ascii.EqualsIgnoreCase(name, known))
                return value;
        }

        return NotifyEvents.None;
    }
}
