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
        var held = new Option<string?>("--held") { HelpName = "FILE", Description = "The checkpoint that you hold: of a proof that the log goes on, the older one must be this" };
        var command = new Command("check", "Checks a proof, without the server.") { proof, key, message, held };
        command.SetAction(async (parsed, cancel) =>
        {
            try
            {
                var path = parsed.GetValue(proof)!;
                var octets = await ReadAsync(path, cancel);
                // Whoever asks of a message, or of a checkpoint, must not be told of something else that it is proved.
                if (ConsistencyFile.Is(octets))
                    return parsed.GetValue(message) is null
                        ? await CheckContinuationAsync(path, octets, parsed.GetValue(key), parsed.GetValue(held), cancel)
                        : await RefuseAsync(path, ["it is a proof that a log goes on, and says nothing of a message"]);
                return parsed.GetValue(held) is null
                    ? await CheckAsync(path, octets, parsed.GetValue(key), parsed.GetValue(message), cancel)
                    : await RefuseAsync(path, ["it is no proof that a log goes on from the checkpoint that you hold"]);
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

    private static async Task<int> CheckAsync(string path, byte[] octets, string? keyText, string? message, CancellationToken cancel)
    {
        var file = Parsed(path, () => ProofFile.Parse(octets));
        var key = keyText is null ? null : await CheckpointFiles.KeyAsync(keyText, cancel);
        var faults = file.Faults(key).ToList();
        if (faults.Count == 0 && message is not null && await MessageFaultAsync(file, message, cancel) is { } other)
            faults.Add(other);
        if (faults.Count > 0)
            return await RefuseAsync(path, faults);
        var checkpoint = SignedCheckpoint.Parse(file.Checkpoint).Checkpoint;
        foreach (var e in file.Events)
            await Console.Out.WriteLineAsync(PlainLines.OnOneLine(WordsOf(e)));
        if (message is not null)
            await Console.Out.WriteLineAsync($"{message} is the message of these events");
        await Console.Out.WriteLineAsync(PlainLines.OnOneLine($"in {WordsOf(checkpoint)}"));
        return await VouchAsync(key);
    }

    private static async Task<int> CheckContinuationAsync(string path, byte[] octets, string? keyText, string? held, CancellationToken cancel)
    {
        var file = Parsed(path, () => ConsistencyFile.Parse(octets));
        var key = keyText is null ? null : await CheckpointFiles.KeyAsync(keyText, cancel);
        var faults = file.Faults(key).ToList();
        if (faults.Count > 0)
            return await RefuseAsync(path, faults);
        var (older, newer) = (SignedCheckpoint.Parse(file.Older).Checkpoint, SignedCheckpoint.Parse(file.Checkpoint).Checkpoint);
        if (held is not null && (await CheckpointFiles.LastAsync(held, cancel)).Checkpoint is var own && (own.Size, own.Root) != (older.Size, older.Root))
            return await RefuseAsync(path, [$"its older checkpoint, of {older.Size} events with root {older.Root}, is another one than that of {held}, of {own.Size} with root {own.Root}"]);
        await Console.Out.WriteLineAsync(PlainLines.OnOneLine($"{WordsOf(newer)}"));
        await Console.Out.WriteLineAsync(PlainLines.OnOneLine($"goes on from {WordsOf(older)}"));
        return await VouchAsync(key);
    }

    private static async Task<int> RefuseAsync(string path, IReadOnlyList<string> faults)
    {
        foreach (var fault in faults)
            await Console.Error.WriteLineAsync($"eventmail: {path}: {PlainLines.OnOneLine(fault)}.");
        return ExitCodes.Failed;
    }

    private static async Task<int> VouchAsync(NoteKey? key)
    {
        if (key is not null)
        {
            await Console.Out.WriteLineAsync(PlainLines.OnOneLine($"signed by {key}"));
            return ExitCodes.Done;
        }
        await Console.Error.WriteLineAsync("eventmail: All of this fits together, but anybody could have made it: give the log's public key (--key) to see whether the log's owner vouches for it.");
        return ExitCodes.Failed;
    }

    private static string WordsOf(Checkpoint checkpoint) => string.Create(CultureInfo.InvariantCulture,
        $"the log {checkpoint.Origin} of {checkpoint.Size} events{(checkpoint.Time is { } time ? $" at {time:yyyy-MM-dd HH:mm:ss}Z" : "")}, root {checkpoint.Root}");

    private static async Task<byte[]> ReadAsync(string path, CancellationToken cancel)
    {
        if (!File.Exists(path))
            throw new CommandFailedException($"There is no file {path}.", ExitCodes.Usage);
        return new FileInfo(path).Length <= ProofFile.MaxLength
            ? await File.ReadAllBytesAsync(path, cancel)
            : throw new CommandFailedException($"{path} is larger than the {ProofFile.MaxLength >> 20} MiB of a proof.");
    }

    private static T Parsed<T>(string path, Func<T> parse)
    {
        try
        {
            return parse();
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
