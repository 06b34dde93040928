using EventMail.Domain.Mailboxes;
using EventMail.Projections.Mailboxes;

namespace EventMail.Host.Http.Admin.Resources;

/// <param name="Id">Stays when it is renamed.</param>
/// <param name="Bytes">The messages' sizes' sum.</param>
/// <param name="HighestModSeq">The version of its stream.</param>
/// <param name="SpecialUse">An attribute of RFC 6154 such as \Sent.</param>
internal sealed record MailboxDocument(
    Guid Id, string Name, uint UidValidity, uint UidNext, long Messages, long Unseen, long Bytes, long HighestModSeq, string? SpecialUse)
{
    public static MailboxDocument Of(MailboxEntry mailbox) => new(
        mailbox.Id, mailbox.Name, mailbox.UidValidity, mailbox.UidNext, mailbox.Messages, mailbox.Unseen, mailbox.Bytes, mailbox.HighestModSeq, mailbox.SpecialUse);
}

/// <param name="At">The instant that was asked for.</param>
internal sealed record MailboxListDocument(IReadOnlyList<MailboxDocument> Items, DateTimeOffset? At);

internal sealed record NewMailboxDocument(string Name);

/// <param name="Rights">Letters of RFC 4314: lrs to read, lrswite to use; none to share it no more.</param>
internal sealed record RightsDocument(string Rights);

/// <param name="Who">An account's address, or anyone.</param>
internal sealed record AclEntryDocument(string Who, string Rights);

internal sealed record AclDocument(IReadOnlyList<AclEntryDocument> Items);

/// <param name="Flags">System flags and keywords.</param>
/// <param name="Received">INTERNALDATE.</param>
/// <param name="Size">Octets.</param>
/// <param name="Envelope">Null where the text is not kept any more.</param>
internal sealed record MessageDocument(
    uint Uid, IReadOnlyList<string> Flags, long ModSeq, long Size, DateTimeOffset Received, DateTimeOffset Saved, EnvelopeDocument? Envelope)
{
    public static MessageDocument Of(MailboxView view, in MessageRow row, EnvelopeDocument? envelope) => new(
        row.Uid, FlagsOf(view.Flags, row.Flags), row.ModSeq, row.Size, DateTimeOffset.FromUnixTimeSeconds(row.InternalDate),
        DateTimeOffset.FromUnixTimeSeconds(row.SaveDate), envelope);

    private static List<string> FlagsOf(FlagTable table, ulong mask)
    {
        var flags = new List<string>();
        for (var bit = 0; bit < table.Count; bit++)
        {
            if ((mask >> bit & 1) != 0)
                flags.Add(table.NameOf(bit));
        }
        return flags;
    }
}

/// <summary>Fields of the header, unfolded and with their encoded words decoded; the first of each name.</summary>
internal sealed record EnvelopeDocument(string? Date, string? From, string? To, string? Cc, string? Subject, string? MessageId);

/// <param name="Mode">add, remove or replace.</param>
internal sealed record FlagChangeDocument(string Mode, IReadOnlyList<string> Flags);

/// <param name="Mailbox">The name of the destination, in the same account.</param>
internal sealed record MoveDocument(string Mailbox);

internal sealed record MovedDocument(string Mailbox, uint UidValidity, uint Uid);
