namespace EventMail.Projections.Sorting;

/// <summary>The texts that SORT compares (RFC 5256 §3, RFC 5957 §4), in the order in which <see cref="SortKeys"/> keeps them.</summary>
public enum SortText : byte
{
    Subject,
    From,
    To,
    Cc,
    DisplayFrom,
    DisplayTo,
}
