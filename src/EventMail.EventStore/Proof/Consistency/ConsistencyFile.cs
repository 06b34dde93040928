using System.Text.Json;
using System.Text.Json.Serialization;

namespace EventMail.EventStore.Proof;

/// <summary>Shows, to who has the public key and an older checkpoint, that a newer one is of the same log, gone on: nothing that was in it then is gone, or is another. JSON.</summary>
/// <param name="Proof">Always <see cref="Format"/>.</param>
/// <param name="Older">A signed note.</param>
/// <param name="Checkpoint">A signed note.</param>
/// <param name="Path">Hashes in base64 (RFC 9162 §2.1.4).</param>
public sealed record ConsistencyFile(
    [property: JsonRequired] string Proof, [property: JsonRequired] int Version, [property: JsonRequired] string Older,
    [property: JsonRequired] string Checkpoint, [property: JsonRequired] string[] Path)
{
    public const string Format = "eventmail consistency";

    public const int CurrentVersion = 1;

    /// <summary>True for a file that says it is one.</summary>
    public static bool Is(ReadOnlySpan<byte> json)
    {
        try
        {
            return JsonSerializer.Deserialize(json, ProofJson.Readable.ProofKind)?.Proof == Format;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    /// <exception cref="FormatException">It is no such proof, or of a newer format.</exception>
    public static ConsistencyFile Parse(ReadOnlySpan<byte> json)
    {
        ConsistencyFile? file;
        try
        {
            file = JsonSerializer.Deserialize(json, ProofJson.Readable.ConsistencyFile);
        }
        catch (JsonException error)
        {
            throw new FormatException($"this is no proof: {error.Message}");
        }
        if (file is not { Proof: Format, Older: not null, Checkpoint: not null, Path: not null })
            throw new FormatException($"this is no proof: it has no member proof with the value “{Format}”, or no two checkpoints");
        return file.Version == CurrentVersion
            ? file
            : throw new FormatException($"a proof of format {file.Version}; this program reads {CurrentVersion}");
    }

    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, ProofJson.Readable.ConsistencyFile);

    /// <summary>What is wrong with it; nothing when the newer checkpoint's log begins with the older one's.</summary>
    /// <param name="key">Who must have signed both; null: that is not looked at, and the proof proves nothing to anybody.</param>
    public IEnumerable<string> Faults(NoteKey? key)
    {
        var (older, newer) = (SignedCheckpoint.TryParse(Older), SignedCheckpoint.TryParse(Checkpoint));
        if (older is null || newer is null)
        {
            yield return $"its {(older is null ? "older" : "newer")} checkpoint cannot be read";
            yield break;
        }
        foreach (var signed in (SignedCheckpoint[])[older, newer])
        {
            if (key is not null && !signed.Note.IsSignedBy(key))
                yield return $"its checkpoint of {signed.Checkpoint.Size} events is not signed by {key.Name} ({key})";
        }
        var path = new TreeHash[Path.Length];
        for (var i = 0; i < path.Length; i++)
        {
            if (TreeHash.TryParse(Path[i], out path[i]))
                continue;
            yield return "a hash of its path cannot be read";
            yield break;
        }
        if (!TreeProofs.IsBeginning(older.Checkpoint.Size, older.Checkpoint.Root, newer.Checkpoint.Size, newer.Checkpoint.Root, path))
            yield return $"it does not show that the log of {newer.Checkpoint.Size} events begins with the {older.Checkpoint.Size} of the older checkpoint";
    }
}
