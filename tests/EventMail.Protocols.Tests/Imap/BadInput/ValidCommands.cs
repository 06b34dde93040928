using EventMail.Protocols.Imap;
using EventMail.Testing.Transcripts;

namespace EventMail.Protocols.Tests.Imap.BadInput;

/// <summary>What the transcripts' clients say: examples of every command, new ones with every extension.</summary>
internal static class ValidCommands
{
    // They end the session, change its layers or are dialogues; what is behind a mutation of them would be no command any more.
    private static readonly string[] Left = ["LOGOUT", "STARTTLS", "AUTHENTICATE", "COMPRESS", "UNAUTHENTICATE", "IDLE"];

    /// <summary>Name and arguments, without tags; each once.</summary>
    public static IEnumerable<string> Of(string transcript) => Transcript.Named("imap", transcript).Steps
        .Where(step => step.Kind == "C:" && step.Text.Contains(' ', StringComparison.Ordinal))
        .Select(step => step.Text[(step.Text.IndexOf(' ', StringComparison.Ordinal) + 1)..])
        .Where(command => VerbOf(command) is { } verb && !Left.Contains(verb.Name))
        .Distinct();

    public static Verb? VerbOf(string command)
    {
        var words = command.Split(' ');
        return words[0].Equals("UID", StringComparison.OrdinalIgnoreCase) && words.Length > 1
            ? CommandTable.Find(System.Text.Encoding.Latin1.GetBytes(words[1]), "UID ")
            : CommandTable.Find(System.Text.Encoding.Latin1.GetBytes(words[0]), "");
    }

    /// <summary>At every token: cut off there, left out, doubled, another thing in its place or before it.</summary>
    public static IEnumerable<string> Mutations(string command)
    {
        var tokens = Tokens(command);
        for (var i = 1; i < tokens.Count; i++)
        {
            var before = string.Concat(tokens.Take(i));
            var after = string.Concat(tokens.Skip(i + 1));
            yield return before;
            yield return before + after;
            yield return before + tokens[i] + tokens[i] + after;
            foreach (var bad in Bad)
            {
                yield return before + bad + after;
                yield return before + bad + tokens[i] + after;
            }
        }
    }

    private static readonly string[] Bad =
    [
        " ", "\"", "(", ")", "((((", "{", "{1", "{x}", "{99999999999999999999}", "{999999999}", "[", "]", "<", "<0.0>", "*", "%", "\\", "\0", "\r", "\x7F",
        "\x80\xFF", "\xC3\x28", "&", "&AAA-", "&Jjo!-", "0", "-1", "4294967296", "9223372036854775808", "18446744073709551616", "NIL", "\"\"",
        "1:2:3", ",", "1,", "\\Seen", "$", "~{0}", "é",
    ];

    // Words, spaces and brackets, each a token.
    private static List<string> Tokens(string command)
    {
        var tokens = new List<string>();
        var start = 0;
        for (var i = 0; i < command.Length; i++)
        {
            if (!" ()[]<>\":,".Contains(command[i], StringComparison.Ordinal))
                continue;
            if (i > start)
                tokens.Add(command[start..i]);
            tokens.Add(command[i].ToString());
            start = i + 1;
        }

        if (start < command.Length)
            tokens.Add(command[start..]);
        return tokens;
    }
}
