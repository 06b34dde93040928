using EventMail.Domain.Mailboxes;
using EventMail.Domain.Messages;
using EventMail.Projections.Mailboxes;

namespace EventMail.Protocols.Imap.Fetching;

/// <summary>What section-binary names (RFC 3516): where it is, and what its Content-Transfer-Encoding is.</summary>
internal readonly record struct BinaryPart(long Offset, long Length, TransferEncoding Encoding)
{
    /// <summary>Nothing is to be decoded.</summary>
    public bool IsIdentity => Encoding is not (TransferEncoding.Base64 or TransferEncoding.QuotedPrintable);

    /// <summary>BINARY[]: a message has no encoding, only its body may have one.</summary>
    public static BinaryPart Whole(long size) => new(0, size, TransferEncoding.Binary);

    /// <summary>Null: there is no such part.</summary>
    public static BinaryPart? Find(PartMap parts, int[] partNumbers)
    {
        if (parts.Find(partNumbers) is not { } part)
            return null;
        // RFC 2045 §6.4: what has parts of its own has no encoding, whatever it says.
        var encoding = part.Kind == PartKind.Multipart || part.EmbeddedMessage is not null ? TransferEncoding.Binary : part.TransferEncoding;
        return new(part.BodyOffset, part.BodyLength, encoding);
    }

    /// <summary>The messages that have one of the plan's sections in an encoding that nobody knows.</summary>
    public static async ValueTask<UidSet> UnknownAsync(ImapSession session, FetchPlan plan, UidSet uids)
    {
        var sections = plan.Items.Where(item => item is { IsDecoded: true, Section.IsWholeMessage: false })
            .Select(item => item.Section!.PartNumbers).ToArray();
        if (sections.Length == 0)
            return UidSet.Empty;
        var known = session.Selected!.Known;
        var unknown = new UidSet.Builder();
        foreach (var window in uids.ToArray().Chunk(MessageSummaries.PrefetchWindow))
        {
            var contents = Array.ConvertAll(window, uid => known[known.IndexOf(uid)].Content);
            await session.Services.Summaries.PrefetchAsync(contents, session.Cancel).ConfigureAwait(false);
            for (var i = 0; i < window.Length; i++)
            {
                var parts = (await session.Services.Summaries.GetAsync(contents[i], session.Cancel).ConfigureAwait(false)).Parts;
                if (Array.Exists(sections, numbers => Find(parts, numbers) is { Encoding: TransferEncoding.Unknown }))
                    unknown.Add(window[i]);
            }
        }

        return unknown.Build();
    }
}
