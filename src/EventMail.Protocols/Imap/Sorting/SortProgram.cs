using EventMail.Protocols.Imap.Searching;

namespace EventMail.Protocols.Imap.Sorting;

/// <summary>SORT as the client wrote it: the order, and the search whose result is sorted.</summary>
internal sealed record SortProgram(IReadOnlyList<SortCriterion> Criteria, SearchProgram Search);
