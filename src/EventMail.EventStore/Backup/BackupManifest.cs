using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace EventMail.EventStore.Backup;

/// <summary>What one run of a backup wrote: the events behind a position and up to another, and the contents that no run before it had.</summary>
/// <param name="Run">From 1; each run's folder is called so.</param>
/// <param name="Previous">SHA-256 of the manifest of the run before it; null for the first.</param>
/// <param name="First">The id of the log's first event: what log this is.</param>
/// <param name="Last">The id of the event at <paramref name="To"/>, or before it where that position was never used.</param>
/// <param name="After">It begins behind this position.</param>
/// <param name="To">Every event up to here is in this run or in one before it.</param>
/// <param name="LastTime">The latest time of an event up to <paramref name="To"/>.</param>
/// <param name="NextContent">Where the sequence of content numbers stood.</param>
/// <param name="Contents">The numbers of the contents in this run.</param>
/// <param name="Removed">Those in runs before it that were gone from the database.</param>
/// <param name="Missing">Contents' files that could not be found though their rows were there.</param>
/// <param name="Finished">Null for a run that was ended; the next goes on with it.</param>
/// <param name="Check">SHA-256 of the manifest without this member, in hexadecimal; null before it is written, and in format 1.</param>
public sealed record BackupManifest(
    int Format, int Run, string? Previous, Guid? First, Guid? Last, long After, long To, DateTimeOffset? LastTime, long NextContent,
    string Contents, string Removed, IReadOnlyList<string> Missing, IReadOnlyList<BackupSegment> Segments,
    DateTimeOffset Started, DateTimeOffset? Finished, string? Check = null)
{
    public const int CurrentFormat = 2;

    // Those of format 1 had no check sum: the next run's manifest alone told of a change.
    private const int FormatWithoutCheck = 1;

    internal byte[] Write() => Serialize(this with { Check = CheckSum() });

    /// <exception cref="InvalidDataException">It is none.</exception>
    internal static BackupManifest Read(ReadOnlySpan<byte> json)
    {
        try
        {
            var manifest = JsonSerializer.Deserialize(json, BackupJson.Default.BackupManifest) ?? throw new InvalidDataException("is empty");
            if (manifest.Format is not (FormatWithoutCheck or CurrentFormat))
                throw new InvalidDataException($"has format {manifest.Format}; this program reads {CurrentFormat}");
            if (manifest.Format == CurrentFormat && manifest.Check != manifest.CheckSum())
                throw new InvalidDataException("is not what was written: its check sum is another one");
            return manifest;
        }
        catch (JsonException)
        {
            throw new InvalidDataException("is no manifest");
        }
    }

    private string CheckSum() => Convert.ToHexStringLower(SHA256.HashData(Serialize(this with { Check = null })));

    private static byte[] Serialize(BackupManifest manifest) => JsonSerializer.SerializeToUtf8Bytes(manifest, BackupJson.Default.BackupManifest);
}

/// <summary>A file of a backup.</summary>
/// <param name="Kind">"streams", "events", "subject-keys", "contents" or "files".</param>
/// <param name="Rows">How many rows or files are in it.</param>
/// <param name="Octets">Of the file.</param>
/// <param name="To">Of events: the last position in it.</param>
public sealed record BackupSegment(string File, string Kind, long Rows, long Octets, string Sha256, long To = 0);

/// <summary>The first line of a segment.</summary>
/// <param name="Columns">In the order of its rows; empty for files.</param>
internal sealed record SegmentHeader(string Segment, int Format, string[] Columns)
{
    public const string Mark = "eventmail ";
    public const int CurrentFormat = 1;
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(BackupManifest))]
internal sealed partial class BackupJson : JsonSerializerContext;

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(SegmentHeader))]
internal sealed partial class SegmentJson : JsonSerializerContext;
