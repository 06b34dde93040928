using System.Text.RegularExpressions;

namespace EventMail.EndToEnd.Differential;

/// <summary>
/// A script: <c>A: NOOP</c> is a command of session A, compared; <c>A! NOOP</c> one whose answer is not; <c>{{text}}</c> in it is a literal, with
/// \r, \n and \xNN. <c>$name = pattern</c> takes the pattern's first group out of each server's last answer, for <c>$name</c> in later commands.
/// <c>ignore \Marked</c> leaves such attributes out of LIST; <c>pause</c> lets a server say what it says unasked; <c>#</c> begins a remark.
/// </summary>
internal static partial class Dialogue
{
    // Dovecot tells of mailboxes that are not selected within half a second, of those that are by and by.
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(1500);

    public static async Task RunAsync(IEnumerable<string> script, PeerAccount account, string name, Differences differences)
    {
        var sessions = new Dictionary<string, PeerSession>();
        Dictionary<string, string> ours = [], theirs = [];
        HashSet<string> ignored = [];
        (Answer Ours, Answer Theirs)? last = null;
        try
        {
            foreach (var line in script.Where(line => line.Length > 0 && line[0] != '#'))
            {
                if (Captures().Match(line) is { Success: true } capture)
                {
                    var (variable, pattern) = (capture.Groups[1].Value, capture.Groups[2].Value);
                    ours[variable] = Captured(last!.Value.Ours, pattern);
                    theirs[variable] = Captured(last!.Value.Theirs, pattern);
                    continue;
                }

                if (line == "pause")
                {
                    await Task.Delay(Pause);
                    continue;
                }

                if (line.StartsWith("ignore ", StringComparison.Ordinal))
                {
                    ignored = [.. line.Split(' ').Skip(1)];
                    continue;
                }

                var said = Commands().Match(line);
                said.Success.ShouldBeTrue($"{name}: not a line of a dialogue: {line}");
                var (who, command) = (said.Groups[1].Value, said.Groups[3].Value);
                if (!sessions.TryGetValue(who, out var session))
                {
                    sessions[who] = session = await account.OpenAsync();
                }

                var (our, their) = await session.RunAsync(Filled(command, ours), Filled(command, theirs));
                last = (our, their);
                if (said.Groups[2].Value == ":")
                {
                    our.IgnoreAttributes(ignored);
                    their.IgnoreAttributes(ignored);
                    differences.Compare(name, $"{who}: {command}", our, their);
                }
                else
                {
                    our.Status.ShouldBe(their.Status, command);
                }
            }
        }
        finally
        {
            foreach (var session in sessions.Values)
            {
                await session.DisposeAsync();
            }
        }
    }

    private static string Captured(Answer answer, string pattern)
    {
        var match = Regex.Match(answer.Raw, pattern);
        return match.Success ? match.Groups[1].Value : throw new InvalidOperationException($"no {pattern} in:\n{answer.Raw}");
    }

    private static string Filled(string command, Dictionary<string, string> variables)
    {
        command = variables.Aggregate(command, (text, variable) => text.Replace("$" + variable.Key, variable.Value));
        return LiteralTexts().Replace(command, literal => Literals.Of(Regex.Unescape(literal.Groups[1].Value)));
    }

    [GeneratedRegex(@"\A\$(\w+) = (.*)\z")]
    private static partial Regex Captures();

    [GeneratedRegex(@"\A([A-Z])([:!]) (.*)\z")]
    private static partial Regex Commands();

    [GeneratedRegex(@"\{\{(.*?)\}\}")]
    private static partial Regex LiteralTexts();
}
