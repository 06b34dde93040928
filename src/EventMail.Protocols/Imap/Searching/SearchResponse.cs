using EventMail.Domain.Mailboxes;
using EventMail.Protocols.Imap.Responses;

namespace EventMail.Protocols.Imap.Searching;

/// <summary>Writes what a search found: the SEARCH response (RFC 3501 §7.2.5) or the ESEARCH response (RFC 4466 §2.6.2).</summary>
internal sealed class SearchResponse(ImapWriter writer, SearchResult result, bool byUid, SearchedMailbox? mailbox = null)
{
    private const int NumbersAtOnce = 1024;

    /// <summary>Nothing, SEARCH or ESEARCH, as it was asked for.</summary>
    public ValueTask WriteAsync(string tag, SearchReturn wanted) =>
        wanted.IsSilent ? default : wanted.IsExtended ? WriteExtendedAsync(tag, wanted) : WritePlainAsync();

    /// <summary>"* SEARCH 2 3 6"</summary>
    private async ValueTask WritePlainAsync()
    {
        writer.InResponse = true;
        writer.Raw("* SEARCH"u8);
        var written = 0;
        foreach (var number in Named(result.Numbers!))
        {
            writer.Sp();
            writer.Number(number);
            if (++written % NumbersAtOnce == 0 && !await writer.FlushIfFullAsync().ConfigureAwait(false))
                break;
        }

        if (result is { ModSeq: { } modSeq, Count: > 0 })
        {
            // RFC 7162 §3.1.5: "(MODSEQ n)" behind the numbers, if there are any.
            writer.Raw(" (MODSEQ "u8);
            writer.Number(modSeq);
            writer.Byte((byte)')');
        }

        End();
    }

    /// <summary>"* ESEARCH (TAG "a") UID MIN 2 COUNT 3"</summary>
    private async ValueTask WriteExtendedAsync(string tag, SearchReturn wanted)
    {
        writer.InResponse = true;
        Begin(writer, tag, byUid, mailbox);
        if (wanted.Has(ReturnItems.Min) && result.Min > 0)
            Item(" MIN "u8, NameOf(result.Min));
        if (wanted.Has(ReturnItems.Max) && result.Max > 0)
            Item(" MAX "u8, NameOf(result.Max));
        if (wanted.Has(ReturnItems.All) && result.Count > 0)
        {
            writer.Raw(" ALL "u8);
            await SetAsync(result.Numbers!, result.Order).ConfigureAwait(false);
        }

        if (wanted.Has(ReturnItems.Partial))
        {
            writer.Raw(" PARTIAL ("u8);
            writer.Ascii(wanted.Partial.ToString());
            writer.Sp();
            if (result.Partial.IsEmpty)
                writer.Raw("NIL"u8);
            else
                await SetAsync(result.Partial, result.PartialOrder).ConfigureAwait(false);
            writer.Byte((byte)')');
        }

        if (wanted.Has(ReturnItems.Count))
            Item(" COUNT "u8, result.Count);
        if (wanted.Has(ReturnItems.Relevancy) && result.Scores is { } scores)
            await ScoresAsync(scores, wanted.Has(ReturnItems.Partial)).ConfigureAwait(false);
        if (result.ModSeq is { } modSeq)
            Item(" MODSEQ "u8, modSeq);
        End();
    }

    /// <summary>search-correlator (RFC 4466 §2.6.2, RFC 7377 §4).</summary>
    public static void Begin(ImapWriter writer, string tag, bool byUid, SearchedMailbox? mailbox)
    {
        writer.Raw("* ESEARCH (TAG "u8);
        writer.Quoted(tag);
        if (mailbox is not null)
        {
            writer.Raw(" MAILBOX "u8);
            writer.Mailbox(mailbox.Name);
            writer.Raw(" UIDVALIDITY "u8);
            writer.Number(mailbox.UidValidity);
        }

        writer.Raw(byUid ? ") UID"u8 : ")"u8);
    }

    private UidSet Named(UidSet numbers) => byUid ? result.View.UidsOfSequence(numbers) : numbers;

    private uint NameOf(uint number) => byUid ? result.View[(int)number - 1].Uid : number;

    private void Item(ReadOnlySpan<byte> name, long value)
    {
        writer.Raw(name);
        writer.Number(value);
    }

    /// <param name="order">The same numbers in the order of a SORT, or null.</param>
    private async ValueTask SetAsync(UidSet numbers, uint[]? order)
    {
        IReadOnlyList<UidRange> ranges = order is not null ? OrderedRanges.Of(order.Select(NameOf)) : Named(numbers).Ranges.ToArray();
        await OrderedRanges.WriteAsync(writer, ranges).ConfigureAwait(false);
    }

    // RELEVANCY (RFC 6203 §4): in the order of what ALL or PARTIAL answers with, one each.
    private async ValueTask ScoresAsync(RelevancyScores scores, bool partial)
    {
        writer.Raw(" RELEVANCY ("u8);
        var numbers = partial ? result.PartialOrder ?? result.Partial.ToArray() : result.Order ?? result.Numbers!.ToArray();
        for (var i = 0; i < numbers.Length; i++)
        {
            if (i > 0)
                writer.Sp();
            writer.Number(scores.Of((int)numbers[i] - 1));
            if ((i + 1) % NumbersAtOnce == 0 && !await writer.FlushIfFullAsync().ConfigureAwait(false))
                break;
        }

        writer.Byte((byte)')');
    }

    private void End()
    {
        writer.Crlf();
        writer.InResponse = false;
    }
}
