using EventMail.EventStore.Proof;

namespace EventMail.Host.Cli;

/// <summary>Checkpoints and keys as an operator or an auditor hands them in.</summary>
internal static class CheckpointFiles
{
    // Of all files together: some million checkpoints.
    private const long MaxLength = 512L << 20;

    /// <summary>All of a file, or of the files of a folder.</summary>
    public static async Task<IReadOnlyList<SignedCheckpoint>> ReadAsync(string path, CancellationToken cancel)
    {
        string[] files = Directory.Exists(path) ? [.. Directory.EnumerateFiles(path, "*.txt").Order(StringComparer.Ordinal)] : [path];
        var (all, length) = (new List<SignedCheckpoint>(), 0L);
        foreach (var file in files)
        {
            if (!File.Exists(file))
                throw new CommandFailedException($"There is no file {file}.", ExitCodes.Usage);
            if ((length += new FileInfo(file).Length) > MaxLength)
                throw new CommandFailedException($"{path} has more than {MaxLength >> 20} MiB.");
            try
            {
                all.AddRange(SignedCheckpoint.ParseAll(await File.ReadAllTextAsync(file, cancel)));
            }
            catch (FormatException error)
            {
                throw new CommandFailedException($"{file}, {error.Message}.");
            }
        }
        return all.Count > 0 ? all : throw new CommandFailedException($"{path} has no checkpoint.");
    }

    public static async Task<SignedCheckpoint> LastAsync(string path, CancellationToken cancel) => (await ReadAsync(path, cancel))[^1];

    /// <summary>A public key: the file that holds it, or its text.</summary>
    public static async Task<NoteKey> KeyAsync(string fileOrText, CancellationToken cancel)
    {
        try
        {
            return NoteKey.Parse(File.Exists(fileOrText) ? await File.ReadAllTextAsync(fileOrText, cancel) : fileOrText);
        }
        catch (FormatException error)
        {
            throw new CommandFailedException($"{(File.Exists(fileOrText) ? fileOrText : "--key")}: {error.Message}.", ExitCodes.Usage);
        }
    }
}
