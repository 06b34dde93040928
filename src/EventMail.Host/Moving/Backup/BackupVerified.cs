using System.Text.Json;
using System.Text.Json.Serialization;
using EventMail.EventStore.Backup;

namespace EventMail.Host.Moving.Backup;

/// <summary>When a backup was last read whole, and what was found: a file in the backup's folder beside its runs.</summary>
/// <param name="Fault">The first file that was not as it was written; null when all were.</param>
internal sealed record BackupVerified(DateTimeOffset Time, int Runs, long Events, long To, string? Fault)
{
    private const string File = "verified.json";

    /// <summary>Null when it never was, or the note cannot be read.</summary>
    public static BackupVerified? Read(BackupFolder folder)
    {
        try
        {
            return JsonSerializer.Deserialize(System.IO.File.ReadAllBytes(Path.Combine(folder.Path, File)), BackupVerifiedJson.Default.BackupVerified);
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException or JsonException)
        {
            return null;
        }
    }

    /// <summary>Whole or not at all.</summary>
    public void Write(BackupFolder folder)
    {
        var path = Path.Combine(folder.Path, File);
        System.IO.File.WriteAllBytes(path + ".tmp", JsonSerializer.SerializeToUtf8Bytes(this, BackupVerifiedJson.Default.BackupVerified));
        System.IO.File.Move(path + ".tmp", path, overwrite: true);
    }
}

[JsonSerializable(typeof(BackupVerified))]
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
internal sealed partial class BackupVerifiedJson : JsonSerializerContext;
