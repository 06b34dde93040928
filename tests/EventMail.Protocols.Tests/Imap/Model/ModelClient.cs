using System.Globalization;
using System.Text.RegularExpressions;
using EventMail.Testing.Transcripts;

namespace EventMail.Protocols.Tests.Imap.Model;

/// <summary>
/// An IMAP client that believes exactly what it is told: it counts messages by EXISTS and EXPUNGE alone, and fails as soon as
/// anything it hears does not fit.
/// </summary>
internal sealed partial class ModelClient(ScriptedClient connection, string name) : IAsyncDisposable
{
    private int _tag;

    /// <summary>By sequence number - 1; what it does not know of a message is null.</summary>
    public List<Known> Messages { get; } = [];

    public string? Mailbox { get; private set; }

    public bool Idling { get; private set; }

    public string Name => name;

    public sealed class Known
    {
        public uint? Uid { get; set; }

        public SortedSet<string>? Flags { get; set; }
    }

    public sealed record Answer(string Status, string? Code, List<string> Untagged);

    public async Task<Answer> RunAsync(string command)
    {
        var tag = string.Create(CultureInfo.InvariantCulture, $"{name}{_tag++}");
        await connection.SendAsync(System.Text.Encoding.Latin1.GetBytes($"{tag} {command}\r\n"));
        var mayExpunge = !command.StartsWith("FETCH", StringComparison.Ordinal) && !command.StartsWith("STORE", StringComparison.Ordinal)
            && !command.StartsWith("SEARCH", StringComparison.Ordinal);
        var untagged = new List<string>();
        while (true)
        {
            var line = await connection.ReadLineAsync() ?? throw connection.Failure($"{name}: closed");
            if (line.StartsWith("* ", StringComparison.Ordinal))
            {
                untagged.Add(line);
                Hear(line, mayExpunge);
                continue;
            }

            var match = TaggedPattern().Match(line);
            if (!match.Success || match.Groups["tag"].Value != tag)
                throw connection.Failure($"{name}: unexpected {line}");
            return new(match.Groups["status"].Value, match.Groups["code"].Success ? match.Groups["code"].Value : null, untagged);
        }
    }

    public async Task SelectAsync(string mailbox)
    {
        Messages.Clear();
        Mailbox = mailbox;
        await RunAsync($"SELECT {mailbox}");
    }

    public async Task StartIdleAsync()
    {
        await connection.SendLineAsync(string.Create(CultureInfo.InvariantCulture, $"{name}{_tag} IDLE"));
        Idling = true;
        while (await connection.ReadLineAsync() is { } line && line != "+ idling")
            Hear(line, mayExpunge: true);
    }

    public async Task StopIdleAsync()
    {
        await connection.SendLineAsync("DONE");
        Idling = false;
        var tag = string.Create(CultureInfo.InvariantCulture, $"{name}{_tag++}");
        while (await connection.ReadLineAsync() is { } line && !line.StartsWith($"{tag} OK", StringComparison.Ordinal))
            Hear(line, mayExpunge: true);
    }

    public InvalidOperationException Failure(string what) => connection.Failure($"{name}: {what}");

    private void Hear(string line, bool mayExpunge)
    {
        if (CountPattern().Match(line) is { Success: true } count)
        {
            var number = int.Parse(count.Groups["n"].Value, CultureInfo.InvariantCulture);
            switch (count.Groups["what"].Value)
            {
                case "EXISTS":
                    if (number < Messages.Count)
                        throw Failure($"{line}: it knows {Messages.Count}");
                    while (Messages.Count < number)
                        Messages.Add(new());
                    break;
                case "EXPUNGE":
                    if (!mayExpunge)
                        throw Failure($"{line} during FETCH, STORE or SEARCH");
                    if (number < 1 || number > Messages.Count)
                        throw Failure($"{line}: it knows {Messages.Count}");
                    Messages.RemoveAt(number - 1);
                    break;
            }
        }
        else if (FetchPattern().Match(line) is { Success: true } fetch)
        {
            HearFetch(line, fetch);
        }
    }

    private void HearFetch(string line, Match fetch)
    {
        var number = int.Parse(fetch.Groups["n"].Value, CultureInfo.InvariantCulture);
        if (number < 1 || number > Messages.Count)
            throw Failure($"{line}: it knows {Messages.Count}");
        var message = Messages[number - 1];
        if (UidPattern().Match(fetch.Groups["items"].Value) is { Success: true } uidMatch)
        {
            var uid = uint.Parse(uidMatch.Groups[1].Value, CultureInfo.InvariantCulture);
            if (message.Uid is { } known && known != uid)
                throw Failure($"{line}: message {number} was {known}");
            message.Uid = uid;
        }

        if (FlagsPattern().Match(fetch.Groups["items"].Value) is { Success: true } flags)
        {
            message.Flags = new(
                flags.Groups[1].Value.Split(' ', StringSplitOptions.RemoveEmptyEntries).Where(flag => flag != "\\Recent"), StringComparer.Ordinal);
        }
    }

    public ValueTask DisposeAsync() => connection.DisposeAsync();

    [GeneratedRegex(@"^(?<tag>\S+) (?<status>OK|NO|BAD) (\[(?<code>[^\]]*)\] )?")]
    private static partial Regex TaggedPattern();

    [GeneratedRegex(@"^\* (?<n>\d+) (?<what>EXISTS|EXPUNGE|RECENT)$")]
    private static partial Regex CountPattern();

    [GeneratedRegex(@"^\* (?<n>\d+) FETCH \((?<items>.*)\)$")]
    private static partial Regex FetchPattern();

    [GeneratedRegex(@"UID (\d+)")]
    private static partial Regex UidPattern();

    [GeneratedRegex(@"FLAGS \(([^)]*)\)")]
    private static partial Regex FlagsPattern();
}
