using System.CommandLine;
using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using EventMail.EventStore.Proof;
using EventMail.Host.Logs;

namespace EventMail.Host.Cli;

/// <summary>Needs no server, no database, no settings and no data folder: only the file, and the key from somebody who is trusted.</summary>
internal static class AuditCheckCommand
{
    public static Command Create()
    {
        var proof = new Argument<string>("PROOF") { Description = "The file that `audit prove` wrote" };
        var key = new Option<string?>("--key") { HelpName = "KEY", Description = "The log's public key, or the file with it, as `audit key` prints it" };
        var message = new Option<string?>("--message") { HelpName = "FILE.eml", Description = "A message that one of the events must be of, octet by octet" };
        var command = new Command("check", "Checks a proof, without the server.") { proof, key, message };
        command.SetAction(async (parsed, cancel) =>
        {
            try
            {
                return await CheckAsync(parsed.GetValue(proof)!, parsed.GetValue(key), parsed.GetValue(message), cancel);
            }
            catch (CommandFailedException error)
            {
                await Console.Error.WriteLineAsync($"eventmail: {error.Message}");
                return error.ExitCode;
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                await Console.Error.WriteLineAsync($"eventmail: {error.Message}");
                return ExitCodes.Failed;
            }
        });
        return command;
    }

    private static async Task<int> CheckAsync(string path, string? keyText, string? message, CancellationToken cancel)
    {
        var file = await ReadAsync(path, cancel);
        var key = keyText is null ? null : await CheckpointFiles.KeyAsync(keyText, cancel);
        var faults = file.Faults(key).ToList();
        if (faults.Count == 0 && message is not null && await MessageFaultAsync(file, message, cancel) is { } other)
            faults.Add(other);
        foreach (var fault in faults)
            await Console.Error.WriteLineAsync($"eventmail: {path}: {PlainLines.OnOneLine(fault)}.");
        if (faults.Count > 0)
            return ExitCodes.Failed;
        var checkpoint = SignedCheckpoint.Parse(file.Checkpoint).Checkpoint;
        foreach (var e in file.Events)
            await Console.Out.WriteLineAsync(PlainLines.OnOneLine(WordsOf(e)));
        if (message is not null)
            await Console.Out.WriteLineAsync($"{message} is the message of these events");
        await Console.Out.WriteLineAsync(PlainLines.OnOneLine(string.Create(CultureInfo.InvariantCulture,
            $"in the log {checkpoint.Origin} of {checkpoint.Size} events{(checkpoint.Time is { } time ? $" at {time:yyyy-MM-dd HH:mm:ss}Z" : "")}, root {checkpoint.Root}")));
        if (key is not null)
        {
            await Console.Out.WriteLineAsync(PlainLines.OnOneLine($"signed by {key}"));
            return ExitCodes.Done;
        }
        await Console.Error.WriteLineAsync("eventmail: All of this fits together, but anybody could have made it: give the log's public key (--key) to see whether the log's owner vouches for it.");
        return ExitCodes.Failed;
    }

    private static async Task<ProofFile> ReadAsync(string path, CancellationToken cancel)
    {
        if (!File.Exists(path))
            throw new CommandFailedException($"There is no file {path}.", ExitCodes.Usage);
        if (new FileInfo(path).Length > ProofFile.MaxLength)
            throw new CommandFailedException($"{path} is larger than the {ProofFile.MaxLength >> 20} MiB of a proof.");
        try
        {
            return ProofFile.Parse(await File.ReadAllBytesAsync(path, cancel));
        }
        catch (FormatException error)
        {
            throw new CommandFailedException($"{path}: {error.Message}.");
        }
    }

    // What is proved is the line: its digest counts, and nothing that stands beside it.
    private static async Task<string?> MessageFaultAsync(ProofFile file, string message, CancellationToken cancel)
    {
        string digest;
        await using (var octets = File.OpenRead(message))
            digest = Convert.ToHexStringLower(await SHA256.HashDataAsync(octets, cancel));
        var known = file.Events.Select(e => DigestOf(e.Line)).Where(known => known is not null).ToList();
        return known.Contains(digest) ? null
            : known.Count == 0 ? $"none of its events is of a message, so {message} is not either"
            : $"{message} is another message: its SHA-256 is {digest}, that of the log is {string.Join(" or ", known)} (a program may have changed its line ends)";
    }

    private static string? DigestOf(string line)
    {
        try
        {
            using var json = JsonDocument.Parse(line);
            return json.RootElement.GetProperty("data").TryGetProperty("Content", out var content) && content.TryGetProperty("Sha256", out var digest)
                ? digest.GetString() : null;
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            return null;
        }
    }

    private static string WordsOf(ProvedEvent e)
    {
        try
        {
            using var json = JsonDocument.Parse(e.Line);
            var root = json.RootElement;
            var digest = DigestOf(e.Line);
            return string.Create(CultureInfo.InvariantCulture,
                $"event {e.Position}: {root.GetProperty("time").GetString()} {root.GetProperty("type").GetString()}, version {root.GetProperty("version").GetInt64()} of {root.GetProperty("tenant").GetString()}/{root.GetProperty("stream").GetString()}{(digest is null ? "" : $", message with SHA-256 {digest}")}");
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or KeyNotFoundException or FormatException)
        {
            return string.Create(CultureInfo.InvariantCulture, $"event {e.Position}: a line that this version cannot read");
        }
    }
}
