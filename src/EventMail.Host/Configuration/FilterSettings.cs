using EventMail.Protocols.Filters;

namespace EventMail.Host.Configuration;

/// <summary>Filters of spam and viruses, asked about messages from other servers, milters about each recipient, too; none by default.</summary>
public sealed record FilterSettings
{
    /// <summary>Has them look at what this server's users submit, too; what is spam in their eyes is refused or marked, never put into Spam.</summary>
    public bool Submission { get; init; }

    /// <summary>What becomes of a message that a filter cannot be asked about: TempFail (451, its sender comes again) or Accept (it is let in unfiltered).</summary>
    public WhenUnavailable WhenUnavailable { get; init; } = WhenUnavailable.TempFail;

    public RspamdSettings Rspamd { get; init; } = new();

    /// <summary>Milters in the order in which they see the message, `unix:/run/opendkim/opendkim.sock, inet:127.0.0.1:7357`.</summary>
    public string Milters { get; init; } = "";

    /// <summary>For a milter to take the connection.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>For a milter to answer one step.</summary>
    public TimeSpan ReplyTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>For a milter, once it is connected, to say of one recipient whether it may be taken: below the five minutes that the client waits there.</summary>
    public TimeSpan RecipientTimeout { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>For a milter to be done with one message, its end included: below the ten minutes that the client waits there.</summary>
    public TimeSpan MessageTimeout { get; init; } = TimeSpan.FromMinutes(5);
}

/// <summary>Rspamd by HTTP, beside the checks of authentication.</summary>
public sealed record RspamdSettings
{
    /// <summary>A normal worker, `http://127.0.0.1:11333`; empty: it is not asked.</summary>
    public string Url { get; init; } = "";

    /// <summary>The file whose first line is the worker's password. Read at the start.</summary>
    public string PasswordFile { get; init; } = "";

    /// <summary>Rspamd's settings that apply to mail from other servers (Settings-ID).</summary>
    public string SettingsId { get; init; } = "";

    /// <summary>For one message, its transfer included. Rspamd's own limit for its work is 8 s.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Larger messages are not checked. Rspamd's own limit is 50 MiB.</summary>
    [Bytes, Range(1)]
    public long MaxSize { get; init; } = 50L << 20;

    /// <summary>Messages that are checked at a time.</summary>
    [Range(1, 10_000)]
    public int MaxConcurrent { get; init; } = 32;

    /// <summary>What its action `reject` means: Accept, Junk, TryLater (451), Refuse (550) or Discard.</summary>
    public FilterOutcome Reject { get; init; } = FilterOutcome.Refuse;

    /// <summary>The same for `soft reject`, which is also how its greylisting asks for a delay.</summary>
    public FilterOutcome SoftReject { get; init; } = FilterOutcome.TryLater;

    /// <summary>The same for `greylist`: the message has the score for greylisting, and rspamd does not ask for a delay (any more). TryLater would hold it off for ever.</summary>
    public FilterOutcome Greylist { get; init; } = FilterOutcome.Accept;

    /// <summary>The same for `add header`.</summary>
    public FilterOutcome AddHeader { get; init; } = FilterOutcome.Junk;

    /// <summary>The same for `rewrite subject`; the subject is rewritten where the message is kept.</summary>
    public FilterOutcome RewriteSubject { get; init; } = FilterOutcome.Junk;
}
