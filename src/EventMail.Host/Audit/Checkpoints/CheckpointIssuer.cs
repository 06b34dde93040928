using EventMail.EventStore.Proof;
using EventMail.Host.Configuration;

namespace EventMail.Host.Audit;

/// <summary>
/// Signs what the log is now, when it is a continuation of the largest that was signed. A checkpoint is no event: it would move the log, and the next
/// one would be due for it. Thread-safe.
/// </summary>
internal sealed class CheckpointIssuer(LogTree tree, NoteSigningKey key, CheckpointFolder folder, TimeProvider clock)
{
    public CheckpointFolder Folder => folder;

    public static CheckpointFolder FolderOf(HostSettings settings) =>
        new(settings.Audit.Folder.Length > 0 ? System.IO.Path.GetFullPath(settings.Audit.Folder) : System.IO.Path.Combine(settings.Data, "checkpoints"));

    /// <summary>Takes in every event that was committed before the call.</summary>
    /// <param name="always">Also when the log has not moved since the last one.</param>
    /// <returns>Null when there is nothing new to be signed.</returns>
    /// <exception cref="CheckpointConflictException">The log is no continuation of the last one.</exception>
    public async Task<SignedCheckpoint?> IssueAsync(bool always, CancellationToken cancel)
    {
        await tree.CatchUpAsync(cancel);
        using var signing = await folder.LockAsync(cancel);
        var tip = await tree.TipAsync(cancel);
        var root = tip.Root();
        if (folder.Largest() is { Checkpoint: var last } signed)
        {
            RequireOurs(signed);
            await RequireContinuationAsync(last, tip, cancel);
            if (last.Size == tip.Size && !always)
                return null;
        }
        else if (tip.Size == 0 && !always)
            return null;
        var now = clock.GetUtcNow();
        var checkpoint = SignedCheckpoint.Sign(Checkpoint.Of(key.Public.Name, tip.Size, root, now), key);
        folder.Append(checkpoint, now);
        return checkpoint;
    }

    // Whoever can write to the folder could put one there that an altered log continues.
    private void RequireOurs(SignedCheckpoint last)
    {
        if (!last.Note.IsSignedBy(key.Public))
            throw new CheckpointConflictException(
                $"No checkpoint is signed: the one of {last.Checkpoint.Size} events in {folder.Path} is not signed by {key.Public}: it is forged, or the key is another than it was. "
                + "If you gave the log a new key, move the folder away, and keep it: `eventmail audit verify --checkpoint FOLDER --key OLD-KEY` goes on to say what it proves.");
    }

    private async Task RequireContinuationAsync(Checkpoint last, TreeTip tip, CancellationToken cancel)
    {
        string? fault;
        try
        {
            fault = tip.Size < last.Size ? $"the log has {tip.Size} events"
                : await tree.RootAsync(tip, last.Size, cancel) != last.Root ? "its first events are others"
                : null;
        }
        catch (InvalidDataException damage)
        {
            fault = damage.Message;
        }
        if (fault is not null)
            throw new CheckpointConflictException(
                $"No checkpoint is signed: the last one in {folder.Path} says {last.Size} events with root {last.Root}, and {fault}. "
                + $"`eventmail audit verify --checkpoint {folder.Path}` tells what was changed. After a restore of an older backup, or for another database, "
                + "move the folder away: whoever holds the old checkpoints will see the break.");
    }
}

/// <summary>The log is no continuation of what was signed.</summary>
internal sealed class CheckpointConflictException(string message) : Exception(message);
