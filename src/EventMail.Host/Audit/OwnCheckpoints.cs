using EventMail.EventStore.Proof;
using EventMail.Host.Cli;
using EventMail.Host.Configuration;

namespace EventMail.Host.Audit;

/// <summary>The checkpoints that are kept here, with their signatures checked: one that nobody signed says nothing.</summary>
internal static class OwnCheckpoints
{
    /// <summary>The oldest first; none where none was signed yet.</summary>
    /// <exception cref="CommandFailedException">One is damaged, or signed by another key.</exception>
    public static async Task<IReadOnlyList<SignedCheckpoint>> ReadAsync(HostSettings settings, CancellationToken cancel)
    {
        var folder = CheckpointIssuer.FolderOf(settings);
        if (folder.Files().Count == 0)
            return [];
        var all = await CheckpointFiles.ReadAsync(folder.Path, cancel);
        RequireSigned(all, [KeyOf(settings)]);
        return all;
    }

    /// <param name="keys">Each is signed by one of them: a log has another key after the first was lost, or stolen.</param>
    /// <exception cref="CommandFailedException">One of them is signed by somebody else.</exception>
    public static void RequireSigned(IReadOnlyList<SignedCheckpoint> checkpoints, IReadOnlyList<NoteKey> keys)
    {
        if (checkpoints.FirstOrDefault(checkpoint => !keys.Any(checkpoint.Note.IsSignedBy)) is { Checkpoint: var forged })
            throw new CommandFailedException(
                $"The checkpoint of {forged.Size} events of {forged.Origin} is not signed by {string.Join(" or ", keys)}: it is forged, or of another log or key. Give the key that signed it with --key (as often as there are keys).");
    }

    /// <summary>This server's own.</summary>
    /// <exception cref="CommandFailedException">It has none.</exception>
    public static NoteKey KeyOf(HostSettings settings) => File.Exists(AuditKeyFile.PathOf(settings))
        ? AuditKeyFile.Open(settings, out _).Public
        : throw new CommandFailedException($"There is no {AuditKeyFile.PathOf(settings)}: give the log's public key with --key.", ExitCodes.Usage);
}
