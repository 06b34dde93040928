namespace EventMail.Host.Configuration;

/// <summary>How long what nobody has in a mailbox any more is kept.</summary>
public sealed record RetentionSettings
{
    /// <summary>The contents of messages that are gone are kept so long, where no rule of the account's or the mailbox's says otherwise (`eventmail retention`).</summary>
    public TimeSpan Expunged { get; init; } = TimeSpan.FromDays(30);

    /// <summary>How often it is looked for contents whose time is over; 0: never, only `eventmail retention run` does.</summary>
    public TimeSpan Every { get; init; } = TimeSpan.FromDays(1);
}
