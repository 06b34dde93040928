using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace EventMail.EventStore.Proof;

/// <summary>An event and what shows that it is in the log of a checkpoint.</summary>
/// <param name="Position">Its position in the log: the first half of its leaf.</param>
/// <param name="Index">The leaf's number, from 0.</param>
/// <param name="Line">Its canonical line: the SHA-256 of it is the other half of its leaf.</param>
/// <param name="Path">Hashes in base64, from the leaf upwards (RFC 9162 §2.1.3).</param>
public sealed record ProvedEvent(
    [property: JsonRequired] long Position, [property: JsonRequired] long Index, [property: JsonRequired] string Line, [property: JsonRequired] string[] Path);

/// <summary>Shows, to who has the public key and nothing else, that events are in the log. JSON.</summary>
/// <param name="Proof">Always <see cref="Format"/>.</param>
/// <param name="Checkpoint">A signed note.</param>
public sealed record ProofFile(
    [property: JsonRequired] string Proof, [property: JsonRequired] int Version, [property: JsonRequired] string Checkpoint,
    [property: JsonRequired] ProvedEvent[] Events)
{
    public const string Format = "eventmail inclusion";

    public const int CurrentVersion = 1;

    /// <summary>Octets of a file; a larger one is refused unread.</summary>
    public const long MaxLength = 256L << 20;

    // Half of a surrogate pair becomes no other text.
    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    /// <exception cref="FormatException">It is no proof, or of a newer format.</exception>
    public static ProofFile Parse(ReadOnlySpan<byte> json)
    {
        ProofFile? file;
        try
        {
            file = JsonSerializer.Deserialize(json, ProofJson.Readable.ProofFile);
        }
        catch (JsonException error)
        {
            throw new FormatException($"this is no proof: {error.Message}");
        }
        if (file is not { Proof: Format, Checkpoint: not null, Events: { Length: > 0 } events } || events.Any(e => e is not { Line: not null, Path: not null }))
            throw new FormatException($"this is no proof: it has no member proof with the value “{Format}”, or no checkpoint, or no events");
        return file.Version == CurrentVersion
            ? file
            : throw new FormatException($"a proof of format {file.Version}; this program reads {CurrentVersion}");
    }

    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, ProofJson.Readable.ProofFile);

    /// <summary>What is wrong with it; nothing when all of its events are in the log of its checkpoint.</summary>
    /// <param name="key">Who must have signed the checkpoint; null: that is not looked at, and the proof proves nothing to anybody.</param>
    public IEnumerable<string> Faults(NoteKey? key)
    {
        SignedCheckpoint? signed = null;
        string? malformed = null;
        try
        {
            signed = SignedCheckpoint.Parse(Checkpoint);
        }
        catch (FormatException error)
        {
            malformed = error.Message;
        }
        if (signed is null)
        {
            yield return $"its checkpoint cannot be read: {malformed}";
            yield break;
        }
        if (key is not null && !signed.Note.IsSignedBy(key))
            yield return $"its checkpoint is not signed by {key.Name} ({key})";
        foreach (var e in Events)
        {
            if (FaultOf(e, signed.Checkpoint) is { } fault)
                yield return fault;
        }
    }

    private static string? FaultOf(ProvedEvent e, Checkpoint checkpoint)
    {
        var path = new TreeHash[e.Path.Length];
        for (var i = 0; i < path.Length; i++)
        {
            if (!TreeHash.TryParse(e.Path[i], out path[i]))
                return $"event {e.Position}: a hash of its path cannot be read";
        }
        byte[] line;
        try
        {
            line = Strict.GetBytes(e.Line);
        }
        catch (EncoderFallbackException)
        {
            return $"event {e.Position}: its line is no text";
        }
        var leaf = new LogLeaf(e.Position, TreeHash.Read(SHA256.HashData(line))).Hash;
        return TreeProofs.Includes(leaf, e.Index, checkpoint.Size, path, checkpoint.Root) ? null
            : $"event {e.Position} is not in the log of {checkpoint.Size} events that the checkpoint is of: it, its place or its path was changed";
    }
}
