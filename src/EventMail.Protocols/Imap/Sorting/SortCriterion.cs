using EventMail.Projections.Sorting;

namespace EventMail.Protocols.Imap.Sorting;

/// <summary>sort-key (RFC 5256 §5, RFC 5957 §5).</summary>
internal enum SortBy : byte
{
    Arrival,
    Size,
    Date,
    Text,
}

/// <summary>sort-criterion.</summary>
/// <param name="Text">Which, for <see cref="SortBy.Text"/>.</param>
internal readonly record struct SortCriterion(SortBy By, SortText Text = default, bool Reverse = false)
{
    /// <summary>The mailbox's columns do not have it.</summary>
    public bool NeedsKeys => By is SortBy.Date or SortBy.Text;
}
