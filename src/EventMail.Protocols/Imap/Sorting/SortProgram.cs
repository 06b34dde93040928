using EventMail.Protocols.Imap.Searching;

namespace EventMail.Protocols.Imap.Sorting;

/// <summary>SORT as the client wrote it: the order, and the search whose result is sorted.</summary>
internal sealed record SortProgram(IReadOnlyList<SortCriterion> Criteria, SearchProgram Search)
{
    public bool IsByRelevancy => Criteria.Any(criterion => criterion.By == SortBy.Relevancy);

    /// <summary>How well messages fit is asked for, to be told or to be sorted by.</summary>
    public bool NeedsScores => IsByRelevancy || Search.Return.Has(ReturnItems.Relevancy);
}
