using System.Globalization;
using EventMail.Domain.Reception;

namespace EventMail.Projections.History.Words;

/// <summary>What the checks of a message said, as an addition to a sentence.</summary>
internal static class ReceptionWords
{
    public static string Of(Authentication? checks, FilterVerdict[]? verdicts)
    {
        if (checks is null && verdicts is null)
            return "";
        var words = new List<string>();
        if (checks is not null)
            Add(words, checks);
        foreach (var verdict in verdicts ?? [])
            words.Add(WordsOf(verdict));
        return "; " + string.Join(", ", words);
    }

    private static void Add(List<string> words, Authentication checks)
    {
        words.Add($"client {checks.Helo}{(checks.ReverseName is { } name && name != checks.Helo ? $" ({name})" : "")} at {checks.ClientIp}");
        if (checks.Spf is { } spf)
            words.Add($"spf {spf.Result} ({spf.Domain})");
        foreach (var dkim in checks.Dkim ?? [])
            words.Add($"dkim {dkim.Result}{(dkim.Domain is { } domain ? $" ({domain})" : "")}");
        if (checks.Arc is { } arc)
            words.Add($"arc {arc.Result}{(arc.Sealer is { } sealer ? $" ({sealer})" : "")}");
        if (checks.Dmarc is { } dmarc)
            words.Add($"dmarc {dmarc.Result}{(dmarc.Domain is { } author ? $" ({author})" : "")}{(dmarc.Disposition == "none" ? "" : $", so {dmarc.Disposition}")}");
    }

    private static string WordsOf(FilterVerdict verdict)
    {
        var score = verdict.Score is { } value
            ? string.Create(CultureInfo.InvariantCulture, $" {value}{(verdict.Required is { } required ? $" of {required}" : "")}") : "";
        return $"{verdict.Filter} {verdict.Action}{score}{(verdict.Symbols is { Length: > 0 } symbols ? $" [{string.Join(' ', symbols)}]" : "")}";
    }
}
