using EventMail.Domain.Messages;
using EventMail.Projections.Mailboxes;
using EventMail.Protocols.Imap.Selected;

namespace EventMail.Protocols.Imap.Fetching;

/// <summary>What a FETCH needs to read, decided once for all its messages: memory, summaries, or contents.</summary>
internal sealed class FetchPlan
{
    private readonly bool _hasCachedFields;

    public FetchPlan(List<FetchItem> items)
    {
        Items = items;
        foreach (var item in items)
        {
            SetsSeen |= item.SetsSeen;
            HasFlags |= item.Kind == FetchKind.Flags;
            HasUid |= item.Kind == FetchKind.Uid;
            HasModSeq |= item.Kind == FetchKind.ModSeq;
            _hasCachedFields |= item.Kind == FetchKind.ThreadId;
            Decodes |= item.IsDecoded;
            NeedsPreviews |= item.Kind == FetchKind.Preview;
            MakesPreviews |= item is { Kind: FetchKind.Preview, IsLazy: false };
            var section = item.Section;
            NeedsSummary |= item.Kind is FetchKind.Envelope or FetchKind.Body or FetchKind.BodyStructure or FetchKind.ThreadId
                || section is { IsWholeMessage: false };
            if (section is null)
                continue;
            var cached = IsCached(section);
            _hasCachedFields |= cached;
            NeedsContent |= !cached;
        }
    }

    public IReadOnlyList<FetchItem> Items { get; }

    public bool SetsSeen { get; }

    public bool HasFlags { get; }

    public bool HasUid { get; }

    public bool HasModSeq { get; }

    public bool NeedsSummary { get; }

    public bool NeedsPreviews { get; }

    /// <summary>Those that are not known yet are made.</summary>
    public bool MakesPreviews { get; }

    /// <summary>BINARY: not every message's parts can be (RFC 3516 §4.3).</summary>
    public bool Decodes { get; }

    /// <summary>Some section may still do without: see <see cref="IsCached"/>.</summary>
    public bool NeedsContent { get; }

    /// <summary>Something of a message beyond what ENVELOPE shows of it: what read auditing wants to know.</summary>
    public bool ReadsContent => NeedsContent || NeedsPreviews;

    /// <summary>UID, FLAGS and MODSEQ, or some of them, in this order: answered in one tight loop.</summary>
    public bool IsFlagsOnly
    {
        get
        {
            var last = FetchKind.Uid;
            foreach (var item in Items)
            {
                if (item.Kind is not (FetchKind.Uid or FetchKind.Flags or FetchKind.ModSeq) || item.Kind < last)
                    return false;
                last = item.Kind;
            }

            return true;
        }
    }

    /// <summary>What the responses have of a flags response.</summary>
    public FlagsForm Form =>
        (HasUid ? FlagsForm.Uid : 0) | (HasFlags ? FlagsForm.Flags : 0) | (HasModSeq ? FlagsForm.ModSeq : 0);

    /// <summary>The summary was to answer a choice of header fields and cannot.</summary>
    public bool LacksHeaderLines(in MessageSummary summary) => _hasCachedFields && summary.HeaderLines is null;

    /// <summary>A choice of the message's own header fields, all of which are kept with the summary.</summary>
    public static bool IsCached(SectionSpec section)
    {
        if (section is not { Fields: { } fields, FieldsNot: false, PartNumbers.Length: 0 })
            return false;
        foreach (var field in fields)
        {
            if (!MessageSummary.IsCachedField(field.Span))
                return false;
        }

        return true;
    }
}
