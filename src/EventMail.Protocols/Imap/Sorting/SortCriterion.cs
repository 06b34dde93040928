using EventMail.Projections.Sorting;

namespace EventMail.Protocols.Imap.Sorting;

/// <summary>sort-key (RFC 5256 §5, RFC 5957 §5, RFC 6203 §7).</summary>
internal enum SortBy : byte
{
    Arrival,
    Size,
    Date,
    Text,

    /// <summary>RFC 6203 §6: what fits best comes first.</summary>
    Relevancy,
}

/// <summary>sort-criterion.</summary>
/// <param name="Text">Which, for <see cref="SortBy.Text"/>.</param>
internal readonly record struct SortCriterion(SortBy By, SortText Text = default, bool Reverse = false)
{
    /// <summary>The mailbox's columns do not have it.</summary>
    public bool NeedsKeys => By is SortBy.Date or SortBy.Text;
}
