using System.Globalization;
using System.Text;
using EventMail.Protocols.Dns;

namespace EventMail.Protocols.TransportSecurity;

/// <summary>The two texts of RFC 8461: the TXT record that says which policy there is, and the policy.</summary>
internal static class MtaStsText
{
    public const string Version = "STSv1";

    /// <summary>§3.2: about a year.</summary>
    public const int MaxAgeSeconds = 31_557_600;

    /// <summary>Patterns of one policy; those behind are not looked at.</summary>
    public const int MaxMx = 100;

    private const int MaxId = 32;

    /// <summary>
    /// §3.1: the id of the one record that begins with `v=STSv1;`. Null when there is none, when there are several, or when it is
    /// malformed: the domain has no MTA-STS, then.
    /// </summary>
    public static string? IdOf(IEnumerable<TxtRecord> records)
    {
        var found = records.Select(record => Encoding.Latin1.GetString(record.Text.Span)).Where(IsRecord).ToList();
        if (found is not [var text])
            return null;
        var fields = text.Split(';', StringSplitOptions.TrimEntries).Skip(1)
            .Where(field => field.Length > 0).Select(field => field.Split('=', 2)).ToList();
        var id = fields.Find(field => field[0] == "id")?.ElementAtOrDefault(1);
        return id is { Length: > 0 and <= MaxId } && id.All(char.IsAsciiLetterOrDigit) && fields.TrueForAll(IsField) ? id : null;
    }

    // sts-extension = sts-ext-name "=" sts-ext-value; a record with anything else is invalid, and the domain has none.
    private static bool IsField(string[] field) =>
        field is [{ Length: > 0 and <= MaxId } name, { Length: > 0 } value]
        && char.IsAsciiLetterOrDigit(name[0]) && name.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '_' or '-' or '.')
        && value.All(letter => letter is > ' ' and < '\x7f' and not '=');

    // sts-version sts-field-delim: *WSP ";"
    private static bool IsRecord(string text) =>
        text.StartsWith("v=" + Version, StringComparison.Ordinal) && text.AsSpan(2 + Version.Length).TrimStart(" \t").StartsWith(";");

    /// <summary>§3.2: lines of `key: value`. Of keys that stand twice the first counts, except mx; unknown ones are passed over.</summary>
    /// <param name="fault">Why it is no policy.</param>
    public static TransportPolicy? Parse(string text, string id, out string? fault)
    {
        var fields = new Dictionary<string, string>(StringComparer.Ordinal);
        var mx = new List<string>();
        foreach (var line in text.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            if (colon <= 0)
            {
                fault = $"a line of the policy is no field: {Shown(line)}";
                return null;
            }
            var (key, value) = (line[..colon].TrimEnd(), line[(colon + 1)..].Trim());
            if (key != "mx")
                fields.TryAdd(key, value);
            else if (mx.Count < MaxMx && IsPattern(value))
                mx.Add(value.TrimEnd('.').ToLowerInvariant());
            else if (!IsPattern(value))
            {
                fault = $"mx is no name or pattern: {Shown(value)}";
                return null;
            }
        }
        fault = Fault(fields, mx, out var mode, out var seconds);
        return fault is null ? new(id, mode, mx, TimeSpan.FromSeconds(seconds)) : null;
    }

    private static string? Fault(Dictionary<string, string> fields, List<string> mx, out MtaStsMode mode, out int seconds)
    {
        (mode, seconds) = (MtaStsMode.None, 0);
        if (fields.GetValueOrDefault("version") != Version)
            return "the policy's version is not " + Version;
        switch (fields.GetValueOrDefault("mode"))
        {
            case "enforce":
                mode = MtaStsMode.Enforce;
                break;
            case "testing":
                mode = MtaStsMode.Testing;
                break;
            case "none":
                break;
            default:
                return "the policy's mode is none of enforce, testing and none";
        }
        // sts-policy-max-age-value = 1*10(DIGIT)
        if (fields.GetValueOrDefault("max_age") is not { Length: <= 10 } digits
            || !long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var age))
            return "the policy's max_age is no number";
        seconds = (int)Math.Min(age, MaxAgeSeconds);
        return mode != MtaStsMode.None && mx.Count == 0 ? "the policy names no mx" : null;
    }

    private static bool IsPattern(string value)
    {
        var name = value.StartsWith("*.", StringComparison.Ordinal) ? value[2..] : value;
        return name.Length > 0 && !name.Contains('*', StringComparison.Ordinal) && DnsName.Normalize(name) is { Length: > 0 };
    }

    // Somebody else's text, for a log.
    private static string Shown(string text) =>
        new([.. text.Take(80).Select(letter => letter is >= ' ' and < '\x7f' ? letter : '?')]);
}
