using System.CommandLine;
using System.CommandLine.Parsing;

namespace EventMail.Host.Cli;

/// <summary>An option that a command does not have: without this it would be taken for a mailbox's name, or for whatever else the command takes.</summary>
internal static class UnknownOptions
{
    /// <summary>The first of them; null: none. What stands behind `--` is a value in any case.</summary>
    public static string? FirstOf(ParseResult parsed)
    {
        var before = parsed.Tokens.TakeWhile(token => token.Type != TokenType.DoubleDash).Select(token => token.Value).ToHashSet(StringComparer.Ordinal);
        return parsed.CommandResult.Children.OfType<ArgumentResult>().SelectMany(argument => argument.Tokens).Select(token => token.Value).Concat(parsed.UnmatchedTokens)
            .FirstOrDefault(value => value.Length > 1 && value[0] == '-' && before.Contains(value));
    }
}
