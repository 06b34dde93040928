using System.Text.RegularExpressions;

namespace EventMail.EndToEnd.Differential;

/// <summary>A difference that is meant.</summary>
/// <param name="Source">Of which test: corpus, made, dialogues.</param>
/// <param name="Where">Which messages or dialogues, a regular expression over the whole name.</param>
/// <param name="What">Which items or commands, a regular expression over the whole of it.</param>
/// <param name="Reason">The paragraph of docs/protocols/imap-differences.md that has the RFC's sentence.</param>
/// <param name="Ours">What we say, a regular expression; anything when null.</param>
/// <param name="Theirs">The same for Dovecot.</param>
internal sealed record Explained(string Source, string Where, string What, string Reason, string? Ours = null, string? Theirs = null)
{
    public bool Explains(string where, string what, string? ours, string? theirs) =>
        IsWhole(Where, where) && IsWhole(What, what)
        && (Ours is null || IsWhole(Ours, ours ?? "")) && (Theirs is null || IsWhole(Theirs, theirs ?? ""));

    private static bool IsWhole(string pattern, string text) =>
        Regex.IsMatch(text, $@"\A(?:{pattern})\z", RegexOptions.Singleline | RegexOptions.CultureInvariant);
}
