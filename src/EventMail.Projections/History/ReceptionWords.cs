using EventMail.Domain.Reception;

namespace EventMail.Projections.History;

/// <summary>What the checks of a message said, as an addition to a sentence.</summary>
internal static class ReceptionWords
{
    public static string Of(Authentication? checks)
    {
        if (checks is null)
            return "";
        var words = new List<string> { $"client {checks.Helo}{(checks.ReverseName is { } name && name != checks.Helo ? $" ({name})" : "")} at {checks.ClientIp}" };
        if (checks.Spf is { } spf)
            words.Add($"spf {spf.Result} ({spf.Domain})");
        foreach (var dkim in checks.Dkim ?? [])
            words.Add($"dkim {dkim.Result}{(dkim.Domain is { } domain ? $" ({domain})" : "")}");
        if (checks.Arc is { } arc)
            words.Add($"arc {arc.Result}{(arc.Sealer is { } sealer ? $" ({sealer})" : "")}");
        if (checks.Dmarc is { } dmarc)
            words.Add($"dmarc {dmarc.Result}{(dmarc.Domain is { } author ? $" ({author})" : "")}{(dmarc.Disposition == "none" ? "" : $", so {dmarc.Disposition}")}");
        return "; " + string.Join(", ", words);
    }
}
