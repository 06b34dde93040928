using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace EventMail.Testing.Transcripts;

/// <summary>Plays a transcript against a server. A step that fails throws, with the file's line and all that was said.</summary>
/// <param name="connect">Opens a connection to the listener of a name ("" unless the transcript says @on).</param>
public sealed class TranscriptRunner(Func<string, Task<ScriptedClient>> connect)
{
    private readonly Dictionary<int, ScriptedClient> _clients = [];

    /// <summary>Variables before the run; variables and captures after it.</summary>
    public Dictionary<string, string> Values { get; } = [];

    public static TranscriptRunner OverTcp(int port) => new(_ => ScriptedClient.ConnectAsync(port));

    public async Task RunAsync(Transcript transcript)
    {
        try
        {
            for (var i = 0; i < transcript.Steps.Count;)
            {
                var step = transcript.Steps[i];
                var count = 1;
                try
                {
                    if (step.Kind.StartsWith("S&", StringComparison.Ordinal))
                    {
                        var group = transcript.Steps.Skip(i)
                            .TakeWhile(s => s.Kind.StartsWith("S&", StringComparison.Ordinal) && s.Client == step.Client).ToList();
                        count = group.Count;
                        await AnyOrderAsync(await ClientAsync(step.Client), group);
                    }
                    else
                    {
                        await PlayAsync(step);
                    }
                }
                catch (Exception e) when (e is not FormatException)
                {
                    throw new InvalidOperationException($"{transcript.Name}:{step.Line}: {e.Message}", e);
                }

                i += count;
            }
        }
        finally
        {
            foreach (var client in _clients.Values)
            {
                await client.DisposeAsync();
            }

            _clients.Clear();
        }
    }

    private async Task PlayAsync(Transcript.Step step)
    {
        var text = TranscriptText.Fill(step.Text, Values);
        if (step.Kind == "@on")
        {
            _clients[step.Client] = await connect(text);
            return;
        }

        var client = await ClientAsync(step.Client);
        switch (step.Kind)
        {
            case "C:":
                await client.SendLineAsync(text);
                break;
            case "C!":
                await client.SendAsync(TranscriptText.Unescape(text));
                break;
            case "C<<":
                await client.SendAsync(Encoding.UTF8.GetBytes(string.Concat(step.Block.Select(line => TranscriptText.Fill(line, Values) + "\r\n"))));
                break;
            case "S:":
                await client.ExpectAsync(text);
                break;
            case "S~":
                Capture(await client.ExpectMatchAsync(Pattern(step)));
                break;
            case "S>":
                await SkipToAsync(client, Pattern(step));
                break;
            case "S<<":
                foreach (var line in step.Block)
                {
                    await client.ExpectAsync(TranscriptText.Fill(line, Values));
                }

                break;
            case "S!":
                var expected = TranscriptText.Unescape(text);
                var got = await client.ReadExactlyAsync(expected.Length);
                if (!got.AsSpan().SequenceEqual(expected))
                {
                    throw client.Failure($"expected: {text}\n     got: {Encoding.Latin1.GetString(got)}");
                }

                break;
            case "S$":
                await client.ExpectClosedAsync();
                break;
            case "@tls":
                await client.StartTlsAsync();
                break;
            case "@deflate":
                client.StartDeflate();
                break;
            case "@plain":
                client.EndDeflate();
                break;
            case "@close":
                _clients.Remove(step.Client);
                await client.DisposeAsync();
                break;
            case "@wait":
                await Task.Delay(int.Parse(text, CultureInfo.InvariantCulture));
                break;
            case "@read":
                var words = text.Split(' ');
                Values[words[1]] = Encoding.Latin1.GetString(await client.ReadExactlyAsync(int.Parse(words[0], CultureInfo.InvariantCulture)));
                break;
            case "@now":
                Values[text] = DateTimeOffset.UtcNow.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture);
                break;
            default:
                throw new FormatException($"line {step.Line}: unknown step {step.Kind}");
        }
    }

    private async Task SkipToAsync(ScriptedClient client, string pattern)
    {
        while (await client.ReadLineAsync() is { } line)
        {
            if (Regex.Match(line, $"^(?:{pattern})$", RegexOptions.CultureInvariant) is { Success: true } match)
            {
                Capture(match);
                return;
            }
        }

        throw client.Failure($"expected: {pattern}\n     got: (closed)");
    }

    private async Task AnyOrderAsync(ScriptedClient client, List<Transcript.Step> group)
    {
        var open = group.ToList();
        while (open.Count > 0)
        {
            var line = await client.ReadLineAsync();
            var met = line is null ? null : open.Find(step => step.Kind == "S&"
                ? line == TranscriptText.Fill(step.Text, Values)
                : Regex.IsMatch(line, $"^(?:{Pattern(step)})$", RegexOptions.CultureInvariant));
            if (met is null)
            {
                throw client.Failure($"expected one of: {string.Join("\n                 ", open.Select(s => s.Text))}\n     got: {line ?? "(closed)"}");
            }

            if (met.Kind == "S&~")
            {
                Capture(Regex.Match(line!, $"^(?:{Pattern(met)})$", RegexOptions.CultureInvariant));
            }

            open.Remove(met);
        }
    }

    private string Pattern(Transcript.Step step) => TranscriptText.Fill(step.Text, Values, Regex.Escape);

    private void Capture(Match match)
    {
        foreach (Group group in match.Groups)
        {
            if (!char.IsDigit(group.Name[0]) && group.Success)
            {
                Values[group.Name] = group.Value;
            }
        }
    }

    private async Task<ScriptedClient> ClientAsync(int number)
    {
        if (!_clients.TryGetValue(number, out var client))
        {
            _clients[number] = client = await connect("");
        }

        return client;
    }
}
