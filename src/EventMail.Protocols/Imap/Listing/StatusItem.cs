using EventMail.Domain.Mailboxes;
using EventMail.Projections.Mailboxes;
using EventMail.Protocols.Imap.Responses;

namespace EventMail.Protocols.Imap.Listing;

/// <summary>What the value of a status item is made of.</summary>
/// <param name="View">The messages; null unless an item <see cref="StatusItem.NeedsMessages"/>.</param>
internal readonly record struct StatusSource(ImapSession Session, MailboxEntry Mailbox, MailboxView? View);

/// <summary>status-att (RFC 3501 §9): STATUS and LIST's RETURN (STATUS …) know the same ones.</summary>
/// <param name="Name">In capitals.</param>
/// <param name="Write">Writes the value alone.</param>
internal sealed record StatusItem(string Name, Action<ImapWriter, StatusSource> Write)
{
    /// <summary>The mailbox's header does not know it: its messages are brought into memory.</summary>
    public bool NeedsMessages { get; init; }

    /// <summary>What a client switches on by asking for it.</summary>
    public Extensions Enables { get; init; }

    /// <summary>Every item of the server: a new extension is a new row.</summary>
    private static readonly StatusItem[] All =
    [
        // RFC 3501 §6.3.10
        Number("MESSAGES", source => source.Mailbox.Messages),
        Number("RECENT", source => source.Mailbox.Recent),
        Number("UIDNEXT", source => source.Mailbox.UidNext),
        Number("UIDVALIDITY", source => source.Mailbox.UidValidity),
        Number("UNSEEN", source => source.Mailbox.Unseen),
        // RFC 7162 §3.1.7
        Number("HIGHESTMODSEQ", source => source.Mailbox.HighestModSeq) with { Enables = Extensions.Condstore },
        // RFC 8474 §4.3
        new("MAILBOXID", (writer, source) => writer.Ascii($"({ObjectIds.OfMailbox(source.Mailbox.Id)})")),
        // RFC 8438, RFC 9051 §6.3.11: what the quota counts.
        Number("SIZE", source => source.Mailbox.Bytes),
        // RFC 9208 §4.1.4: octets, as SIZE.
        Number("DELETED-STORAGE", source => DeletedStorage(source.View!)) with { NeedsMessages = true },
        // RFC 7889 §3.1: the same for all.
        Number("APPENDLIMIT", source => source.Session.Limits.MaxMessageSize),
        // RFC 9051 §6.3.11
        Number("DELETED", source => source.View!.Deleted) with { NeedsMessages = true },
    ];

    public static StatusItem? Find(ReadOnlySpan<byte> name)
    {
        foreach (var item in All)
        {
            if (System.Text.Ascii.EqualsIgnoreCase(name, item.Name))
                return item;
        }

        return null;
    }

    private static long DeletedStorage(MailboxView view)
    {
        if (view.Deleted == 0)
            return 0;
        var octets = 0L;
        foreach (var slice in view.Slices())
        {
            for (var i = 0; i < slice.Length; i++)
            {
                if ((slice.Flags[i] & SystemFlags.Deleted) != 0)
                    octets += slice.Sizes[i];
            }
        }

        return octets;
    }

    private static StatusItem Number(string name, Func<StatusSource, long> value) =>
        new(name, (writer, source) => writer.Number(value(source)));
}
