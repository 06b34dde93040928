namespace EventMail.Protocols.Filters.Rspamd;

/// <summary>How rspamd is asked, and what becomes of what it says.</summary>
public sealed record RspamdOptions
{
    /// <summary>A normal worker: `http://127.0.0.1:11333`.</summary>
    public required Uri Address { get; init; }

    /// <summary>Null: none is sent.</summary>
    public string? Password { get; init; }

    /// <summary>Settings of rspamd's own that apply (Settings-ID); empty for none.</summary>
    public string SettingsId { get; init; } = "";

    /// <summary>For one message, its transfer included. Rspamd's own limit for a task is 8 s.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Octets of a message; a larger one is not checked. Rspamd's own limit is 50 MiB.</summary>
    public long MaxSize { get; init; } = 50L << 20;

    /// <summary>Messages that are checked at a time; others wait, within their time.</summary>
    public int MaxConcurrent { get; init; } = 32;

    public WhenUnavailable WhenUnavailable { get; init; } = WhenUnavailable.TempFail;

    public FilterOutcome Reject { get; init; } = FilterOutcome.Refuse;

    public FilterOutcome SoftReject { get; init; } = FilterOutcome.TryLater;

    /// <summary>Its greylisting says "soft reject" when it wants a delay; this action is what remains when it does not.</summary>
    public FilterOutcome Greylist { get; init; } = FilterOutcome.Accept;

    public FilterOutcome AddHeader { get; init; } = FilterOutcome.Junk;

    public FilterOutcome RewriteSubject { get; init; } = FilterOutcome.Junk;

    /// <summary>By rspamd's names of actions; what it does not know it accepts.</summary>
    internal FilterOutcome OutcomeOf(string action) => action switch
    {
        "reject" => Reject,
        "soft reject" => SoftReject,
        "greylist" => Greylist,
        "add header" => AddHeader,
        "rewrite subject" => RewriteSubject,
        "quarantine" => FilterOutcome.Junk,
        "discard" => FilterOutcome.Discard,
        _ => FilterOutcome.Accept,
    };
}
