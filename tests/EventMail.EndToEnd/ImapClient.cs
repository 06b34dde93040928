using System.Diagnostics;
using System.Globalization;
using System.Text;
using EventMail.Testing;
using EventMail.Testing.Transcripts;

namespace EventMail.EndToEnd;

/// <summary>An IMAP client of the tests' own, as small as can be: for what the ordinary clients cannot be made to do.</summary>
internal sealed class ImapClient : IAsyncDisposable
{
    private static readonly TimeSpan Patience = Waiting.Limit;

    private readonly ScriptedClient _client;
    private int _tag;

    private ImapClient(ScriptedClient client) => _client = client;

    public ScriptedClient Script => _client;

    public static async Task<ImapClient> LoginAsync(System.Net.IPEndPoint server, string user, string password = MailServer.Password)
    {
        var client = new ImapClient(await ScriptedClient.ConnectAsync(server));
        await client._client.ExpectMatchAsync(@"\* OK .*");
        await client.RunAsync($"LOGIN {user} \"{password}\"");
        return client;
    }

    /// <summary>Sends a command and answers the untagged lines; anything but OK fails the test.</summary>
    public async Task<IReadOnlyList<string>> RunAsync(string command)
    {
        var tag = "a" + (++_tag).ToString(CultureInfo.InvariantCulture);
        await _client.SendLineAsync($"{tag} {command}");
        var lines = new List<string>();
        while (await _client.ReadLineAsync() is { } line)
        {
            if (line.StartsWith(tag + " ", StringComparison.Ordinal))
            {
                return line.StartsWith(tag + " OK", StringComparison.Ordinal) ? lines : throw _client.Failure($"refused: {line}");
            }

            lines.Add(line);
            if (line.EndsWith('}') && line.LastIndexOf('{') is var brace and >= 0
                && int.TryParse(line.AsSpan(brace + 1, line.Length - brace - 2), CultureInfo.InvariantCulture, out var size))
            {
                lines.Add(Encoding.Latin1.GetString(await _client.ReadExactlyAsync(size)));
            }
        }

        throw _client.Failure("the server closed");
    }

    /// <summary>All messages of a mailbox by UID: flags and octets.</summary>
    public async Task<SortedDictionary<uint, string>> FetchAllAsync(string mailbox)
    {
        await RunAsync($"EXAMINE \"{mailbox}\"");
        var messages = new SortedDictionary<uint, string>();
        var lines = await RunAsync("UID FETCH 1:* (UID BODY.PEEK[])");
        for (var i = 0; i < lines.Count; i++)
        {
            if (System.Text.RegularExpressions.Regex.Match(lines[i], @"^\* \d+ FETCH \(.*UID (\d+)") is { Success: true } match)
            {
                messages[uint.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture)] = lines[i + 1];
            }
        }

        return messages;
    }

    /// <summary>Waits for a message that says something, and answers its octets.</summary>
    public async Task<string> WaitForMessageAsync(string words = "", string mailbox = "INBOX")
    {
        for (var began = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(began) < Patience; await Task.Delay(100))
        {
            if ((await FetchAllAsync(mailbox)).Values.FirstOrDefault(message => message.Contains(words, StringComparison.Ordinal)) is { } found)
            {
                return found;
            }
        }

        throw _client.Failure($"no message came with: {words}");
    }

    public ValueTask DisposeAsync() => _client.DisposeAsync();
}
