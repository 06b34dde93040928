using System.Text.RegularExpressions;

namespace EventMail.Protocols.Smtp.Faults;

/// <summary>Where in the dialogue a fault strikes.</summary>
public enum FaultStage
{
    /// <summary>The greeting.</summary>
    Connect,

    /// <summary>The reply to MAIL.</summary>
    Mail,

    /// <summary>The reply to RCPT.</summary>
    Rcpt,

    /// <summary>The reply behind the message, however it came (DATA, BDAT).</summary>
    Data,

    /// <summary>The last reply of AUTH.</summary>
    Auth,
}

/// <summary>One fault on demand.</summary>
public sealed class FaultRule
{
    /// <summary>The longest reply line (RFC 5321 §4.5.3.1.5) without its code, blank and CRLF.</summary>
    public const int MaxText = 512 - 6;

    /// <summary>As patterns of addresses: a few characters.</summary>
    public const int MaxPattern = 320;

    public static readonly TimeSpan MaxDelay = TimeSpan.FromMinutes(10);

    private int _left;

    private FaultRule(string id, FaultStage stage, int? count) => (Id, Stage, Count, _left) = (id, stage, count, count ?? 0);

    public string Id { get; }

    public FaultStage Stage { get; }

    /// <summary>"*" stands for any characters; null for all. At <see cref="FaultStage.Data"/>: one of the recipients.</summary>
    public string? Recipient { get; private init; }

    public string? Sender { get; private init; }

    /// <summary>Who has logged in, or at <see cref="FaultStage.Auth"/> is about to.</summary>
    public string? User { get; private init; }

    /// <summary>Null: the command goes on as if nothing were, after the delay; or the connection is dropped.</summary>
    public SmtpReply? Reply { get; private init; }

    public TimeSpan Delay { get; private init; }

    /// <summary>The connection is cut instead of a reply.</summary>
    public bool Drop { get; private init; }

    /// <summary>How often it strikes; null: always.</summary>
    public int? Count { get; }

    /// <summary>Strikes by chance, so often in a hundred; null: each time.</summary>
    public int? Percent { get; private init; }

    /// <summary>How often it still will; null: always.</summary>
    public int? Left => Count is null ? null : Math.Max(0, Volatile.Read(ref _left));

    /// <param name="why">What is wrong, for the person who wrote it.</param>
    /// <returns>Null when it is no such rule.</returns>
    public static FaultRule? TryCreate(string id, FaultDefinition definition, out string why)
    {
        why = Fault(definition) ?? "";
        if (why.Length > 0)
            return null;
        return new(id, definition.Stage, definition.Count)
        {
            Recipient = definition.Recipient,
            Sender = definition.Sender,
            User = definition.User,
            Reply = definition.Code is { } code ? new($"{code} {Words(definition)}") : null,
            Delay = definition.Delay,
            Drop = definition.Drop,
            Percent = definition.Percent,
        };
    }

    internal bool Matches(FaultStage stage, string? user, string? sender, IEnumerable<string> recipients) =>
        stage == Stage && Fits(User, user ?? "") && Fits(Sender, sender ?? "") && (Recipient is null || recipients.Any(one => Fits(Recipient, one)));

    /// <summary>Uses one of its strikes up; false when none is left, or it was lucky.</summary>
    internal bool Take() => (Percent is null || Random.Shared.Next(100) < Percent) && (Count is null || Interlocked.Decrement(ref _left) >= 0);

    private static string Words(FaultDefinition definition) =>
        definition.Text is { Length: > 0 } text ? text : $"{definition.Code / 100}.0.0 Fault on demand";

    private static string? Fault(FaultDefinition definition)
    {
        if (definition.Code is null && !definition.Drop && definition.Delay == TimeSpan.Zero)
            return "a fault has a code, a delay, or drop";
        if (definition.Code is { } code && code is not (>= 400 and <= 599))
            return "code is a reply code from 400 to 599";
        if (definition.Text is { } text && (text.Length > MaxText || text.Any(c => c is < ' ' or > '~')))
            return $"text is one line of ASCII of at most {MaxText} characters";
        if (definition.Delay < TimeSpan.Zero || definition.Delay > MaxDelay)
            return $"delay is at most {MaxDelay.TotalSeconds} seconds";
        if (definition.Count is <= 0)
            return "count is 1 or more";
        if (definition.Percent is { } percent && percent is not (>= 1 and <= 100))
            return "percent is 1 to 100";
        if (definition.Stage == FaultStage.Connect && (definition.Recipient ?? definition.Sender ?? definition.User) is not null)
            return "at connect nobody has a name yet: no recipient, sender or user";
        return ((string?[])[definition.Recipient, definition.Sender, definition.User]).Any(pattern => pattern?.Length > MaxPattern)
            ? $"a pattern has at most {MaxPattern} characters"
            : null;
    }

    // NonBacktracking: a pattern with many stars costs no more than its length times the address's.
    private static bool Fits(string? pattern, string text) => pattern is null || Regex.IsMatch(
        text, $"\\A{Regex.Escape(pattern).Replace("\\*", ".*", StringComparison.Ordinal)}\\z",
        RegexOptions.NonBacktracking | RegexOptions.IgnoreCase | RegexOptions.CultureInvariant | RegexOptions.Singleline);
}

/// <summary>A fault as somebody asked for it, unchecked.</summary>
public sealed record FaultDefinition(FaultStage Stage)
{
    public string? Recipient { get; init; }
    public string? Sender { get; init; }
    public string? User { get; init; }
    public int? Code { get; init; }

    /// <summary>With its enhanced code (RFC 3463), if it is to have one.</summary>
    public string? Text { get; init; }

    public TimeSpan Delay { get; init; }
    public bool Drop { get; init; }
    public int? Count { get; init; }
    public int? Percent { get; init; }
}
