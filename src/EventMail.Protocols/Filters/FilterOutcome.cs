namespace EventMail.Protocols.Filters;

/// <summary>What becomes of a message for a filter's sake.</summary>
public enum FilterOutcome
{
    Accept,

    /// <summary>Into the mailbox for junk, with `X-Spam: Yes`.</summary>
    Junk,

    /// <summary>451 4.7.1.</summary>
    TryLater,

    /// <summary>550 5.7.1.</summary>
    Refuse,

    /// <summary>Its sender is told that it was taken; an event tells that it was thrown away.</summary>
    Discard,
}

/// <summary>What becomes of a message that a filter cannot be asked about.</summary>
public enum WhenUnavailable
{
    /// <summary>It is taken, unfiltered.</summary>
    Accept,

    /// <summary>Its sender is told to come again (451 4.7.1).</summary>
    TempFail,
}
