using System.Globalization;
using System.Text.RegularExpressions;

namespace EventMail.Testing.Transcripts;

/// <summary>
/// What client and server say to each other, as a file. A line of it is one of
/// <code>
/// # a comment
/// C: a1 SELECT INBOX               the client sends a line (CRLF is added)
/// C! .\r\n\x00                     the client sends exactly these bytes: \r \n \t \0 \\ \xHH are escapes, no CRLF is added
/// C&lt;&lt; END                          the client sends the lines that follow, up to the line END
/// S: 250 2.1.0 Ok                  the server must answer exactly this line
/// S~ 250-SIZE (?&lt;size&gt;\d+)         … a line that matches as a whole; named groups are captures, usable later as {size}
/// S&amp; * 3 EXISTS                    several such lines in a row may come in any order
/// S&amp;~ \* \d+ RECENT               … the same with a pattern
/// S&gt; a1 OK .*                      skip lines until one matches
/// S! abc\r\n                       the server must send exactly these bytes
/// S&lt;&lt; END                          the server must send exactly the lines that follow, up to the line END
/// S$                               the server must close now, without another word
/// @tls  @close  @wait 200          TLS handshake; the client closes; wait (milliseconds)
/// @deflate  @plain                 both directions are deflated from here on (RFC 4978); no longer
/// @on imaps                        the client connects to the listener of this name
/// @read {size} body                reads so many bytes into a capture
/// @now then                        the time (RFC 3339, with microseconds) into a capture
/// </code>
/// A digit after C, S or the directive's name (C2: S2: @tls2) names one of several clients; each connects when first used.
/// {name} stands for a capture or a variable, {b64:\0user\0pass} for its text in base64; an unknown {name} is left as it is.
/// </summary>
public sealed partial class Transcript
{
    private Transcript(string name, IReadOnlyList<Step> steps) => (Name, Steps) = (name, steps);

    public string Name { get; }

    public IReadOnlyList<Step> Steps { get; }

    /// <param name="Line">In the file, from 1.</param>
    /// <param name="Kind">C: C! C&lt;&lt; S: S~ S&amp; S&amp;~ S&gt; S! S&lt;&lt; S$ or @name.</param>
    /// <param name="Block">The lines of a C&lt;&lt; or S&lt;&lt;.</param>
    public sealed record Step(int Line, string Kind, int Client, string Text, IReadOnlyList<string> Block);

    public override string ToString() => Name;

    public static Transcript Load(string path) => Parse(Path.GetFileName(path), File.ReadAllText(path));

    /// <summary>The transcripts of a folder beside the test assembly (Transcripts/smtp), by name.</summary>
    public static IEnumerable<string> Names(string folder) =>
        Directory.EnumerateFiles(Folder(folder), "*.txt").Select(path => Path.GetFileNameWithoutExtension(path)).Order(StringComparer.Ordinal);

    public static Transcript Named(string folder, string name) => Load(Path.Combine(Folder(folder), name + ".txt"));

    public static Transcript Parse(string name, string text)
    {
        var steps = new List<Step>();
        var lines = text.Split('\n');
        for (var i = 0; i < lines.Length; i++)
        {
            var line = lines[i].TrimEnd('\r');
            if (string.IsNullOrWhiteSpace(line) || line.StartsWith('#'))
            {
                continue;
            }

            var match = StepPattern().Match(line);
            if (!match.Success)
            {
                throw new FormatException($"{name}:{i + 1}: not a step: {line}");
            }

            var kind = match.Groups["kind"].Value + match.Groups["mark"].Value;
            var client = match.Groups["client"].ValueSpan is { Length: > 0 } digits ? int.Parse(digits, CultureInfo.InvariantCulture) : 0;
            var block = new List<string>();
            var at = i + 1;
            if (kind.EndsWith("<<", StringComparison.Ordinal))
            {
                while (++i < lines.Length && lines[i].TrimEnd('\r') != match.Groups["text"].Value)
                {
                    block.Add(lines[i].TrimEnd('\r'));
                }

                if (i == lines.Length)
                {
                    throw new FormatException($"{name}:{at}: the block has no end");
                }
            }

            steps.Add(new(at, kind, client, match.Groups["text"].Value, block));
        }

        return new(name, steps);
    }

    private static string Folder(string folder) => Path.Combine(AppContext.BaseDirectory, "Transcripts", folder);

    [GeneratedRegex(@"^(?:(?<kind>[CS])(?<client>\d)?(?<mark><<|&~|[:!~&>$])|(?<kind>@[a-z]+)(?<client>\d)?)(?: (?<text>.*))?$")]
    private static partial Regex StepPattern();
}
