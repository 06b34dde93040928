using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using EventMail.Testing.Transcripts;

namespace EventMail.Protocols.Tests.Imap.Model;

/// <param name="Status">OK, NO or BAD; null when the server has closed.</param>
internal sealed record Answer(string Tag, string? Status, string? Code, List<string> Untagged);

/// <summary>A command as it would be sent.</summary>
internal sealed class NotSent(string command) : Exception
{
    public string Command => command;
}

/// <summary>One connection: sends commands, collects what is answered, notes both.</summary>
internal sealed partial class ModelClient(ScriptedClient connection, Dialogue dialogue, string name) : IAsyncDisposable
{
    private readonly Queue<(string Tag, string Command)> _ahead = new();
    private int _tag;

    /// <summary>Commands are not sent: <see cref="NotSent"/> tells them.</summary>
    public bool IsDry { get; set; }

    public async Task<Answer> RunAsync(string command)
    {
        if (IsDry)
            throw new NotSent(command);
        if (_ahead.TryDequeue(out var ahead))
            return ahead.Command == command ? await AnswerAsync(ahead.Tag) : throw dialogue.Fault($"{name}: {ahead.Command} was sent, not {command}");
        var tag = NextTag();
        await SendAsync($"{tag} {command}");
        return await AnswerAsync(tag);
    }

    /// <summary>In one write. <see cref="RunAsync"/> of each of them, in their order, waits for the answers.</summary>
    public async Task SendAheadAsync(IReadOnlyList<string> commands)
    {
        foreach (var command in commands)
            _ahead.Enqueue((NextTag(), command));
        await SendAsync(string.Join("\r\n", _ahead.Select(ahead => $"{ahead.Tag} {ahead.Command}")));
    }

    private string NextTag() => string.Create(CultureInfo.InvariantCulture, $"{name}{_tag++}");

    private async Task SendAsync(string line)
    {
        dialogue.Note(name, "C", line);
        await connection.SendAsync(Encoding.Latin1.GetBytes(line + "\r\n"));
    }

    private async Task<Answer> AnswerAsync(string tag)
    {
        var untagged = new List<string>();
        while (await ReadAsync() is { } line)
        {
            if (line.StartsWith("* ", StringComparison.Ordinal))
            {
                untagged.Add(line);
                continue;
            }

            var match = TaggedPattern().Match(line);
            if (!match.Success || match.Groups["tag"].Value != tag)
                throw dialogue.Fault($"{name}: unexpected {line}");
            return new(tag, match.Groups["status"].Value, match.Groups["code"].Success ? match.Groups["code"].Value : null, untagged);
        }

        return new(tag, null, null, untagged);
    }

    /// <summary>A line with the literals in it; null at the end.</summary>
    public async Task<string?> ReadAsync()
    {
        try
        {
            var line = await connection.ReadLineAsync();
            while (line is not null && LiteralPattern().Match(line) is { Success: true } literal)
            {
                var octets = await connection.ReadExactlyAsync(int.Parse(literal.Groups[1].Value, CultureInfo.InvariantCulture));
                line += Encoding.Latin1.GetString(octets) + await connection.ReadLineAsync();
            }

            dialogue.Note(name, "S", line ?? "(closed)");
            return line;
        }
        catch (InvalidOperationException fault)
        {
            throw dialogue.Fault($"{name}: {fault.Message.Split('\n')[0]}");
        }
    }

    /// <summary>IDLE, up to the continuation request.</summary>
    public async Task<List<string>> IdleAsync()
    {
        await SendAsync($"{NextTag()} IDLE");
        var untagged = new List<string>();
        while (await ReadAsync() is { } line && !line.StartsWith("+ ", StringComparison.Ordinal))
            untagged.Add(line);
        return untagged;
    }

    public async Task<Answer> DoneAsync()
    {
        await SendAsync("DONE");
        return await AnswerAsync(string.Create(CultureInfo.InvariantCulture, $"{name}{_tag - 1}"));
    }

    public ValueTask DisposeAsync() => connection.DisposeAsync();

    [GeneratedRegex(@"^(?<tag>\S+) (?<status>OK|NO|BAD) (\[(?<code>[^\]]*)\] )?")]
    private static partial Regex TaggedPattern();

    [GeneratedRegex(@"\{(\d+)\}$")]
    private static partial Regex LiteralPattern();
}
