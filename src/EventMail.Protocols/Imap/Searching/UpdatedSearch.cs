using EventMail.Domain.Mailboxes;
using EventMail.Protocols.Imap.Responses;
using EventMail.Protocols.Imap.Sorting;

namespace EventMail.Protocols.Imap.Searching;

/// <summary>A search with UPDATE. The answers to an ESEARCH name the mailbox.</summary>
/// <param name="uids">What it found.</param>
/// <param name="order">Of a SORT: the same in its order.</param>
internal sealed class UpdatedSearch(
    string tag, bool byUid, SearchedMailbox? mailbox, SearchKey key, SearchContext context, UidSet uids, UpdatedOrder? order = null)
{
    public string Tag => tag;

    public SearchKey Key => key;

    public SearchContext Context => context;

    /// <summary>The result as the client has been told it.</summary>
    public UidSet Uids { get; private set; } = uids;

    /// <summary>What keeping the result costs: its ranges or, in an order of its own, its messages.</summary>
    public int Size => order?.Count ?? Uids.Ranges.Length;

    /// <summary>The result changes, and the client is told how. Nothing is told when it fails.</summary>
    /// <param name="view">Its numbers are those that the client knows.</param>
    public async ValueTask TellAsync(ImapWriter writer, MailboxView view, UidSet removed, UidSet added)
    {
        if (removed.IsEmpty && added.IsEmpty)
            return;
        Uids = Uids.Except(removed).Union(added);
        var removals = PartsOf(view, removed, order?.Remove(removed));
        var additions = PartsOf(view, added, order is null ? null : await order.AddAsync(view, added).ConfigureAwait(false));
        writer.InResponse = true;
        SearchResponse.Begin(writer, tag, byUid, mailbox);
        await ItemAsync(writer, " REMOVEFROM (", removals).ConfigureAwait(false);
        await ItemAsync(writer, " ADDTO (", additions).ConfigureAwait(false);
        writer.Crlf();
        writer.InResponse = false;
        await writer.FlushIfFullAsync().ConfigureAwait(false);
    }

    // RFC 5267 §4.3.3: position 0 is in mailbox order, wherever that is; in any other order each part has its position.
    private List<(int Position, IReadOnlyList<UidRange> Ranges)> PartsOf(MailboxView view, UidSet uids, List<OrderedPart>? parts)
    {
        if (uids.IsEmpty)
            return [];
        return parts is null
            ? [(0, (byUid ? uids : view.SequenceOfUids(uids)).Ranges.ToArray())]
            : [.. parts.Select(part => (part.Position, (IReadOnlyList<UidRange>)OrderedRanges.Of(part.Uids.Select(NameOf))))];

        uint NameOf(uint uid) => byUid ? uid : (uint)view.IndexOf(uid) + 1;
    }

    // "ADDTO" SP "(" context-position SP sequence-set *(SP context-position SP sequence-set) ")"
    private static async ValueTask ItemAsync(ImapWriter writer, string name, List<(int Position, IReadOnlyList<UidRange> Ranges)> parts)
    {
        for (var i = 0; i < parts.Count; i++)
        {
            if (i == 0)
                writer.Ascii(name);
            else
                writer.Sp();
            writer.Number(parts[i].Position);
            writer.Sp();
            await OrderedRanges.WriteAsync(writer, parts[i].Ranges).ConfigureAwait(false);
        }

        if (parts.Count > 0)
            writer.Byte((byte)')');
    }
}
