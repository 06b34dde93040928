using EventMail.EventStore.Backup;
using EventMail.Host.Cli;
using EventMail.Host.Composition;
using EventMail.Host.Configuration;
using EventMail.Host.Http.Admin.Jobs;
using EventMail.Host.Moving.Backup;
using Microsoft.AspNetCore.Http;

namespace EventMail.Host.Http.Admin.Resources;

/// <param name="After">It begins behind this position of the log.</param>
/// <param name="To">Every event up to here is in this run or in one before it.</param>
/// <param name="Octets">Of its files.</param>
/// <param name="Missing">Contents that had a row but no file: they are not in it.</param>
internal sealed record BackupRunDocument(int Run, long After, long To, DateTimeOffset Started, DateTimeOffset? Finished, long Octets, int Missing)
{
    public static BackupRunDocument Of(BackupManifest manifest) => new(
        manifest.Run, manifest.After, manifest.To, manifest.Started, manifest.Finished, manifest.Segments.Sum(segment => segment.Octets), manifest.Missing.Count);
}

/// <param name="Verified">Its last verification; absent when it never was.</param>
internal sealed record BackupDocument(IReadOnlyList<BackupRunDocument> Runs, BackupVerified? Verified);

/// <param name="Run">Absent when there was nothing new since the last one.</param>
/// <param name="WentOn">With what an earlier run had begun.</param>
/// <param name="KeyFiles">Files of keys and settings that were copied apart; absent where Backup:Keys is empty.</param>
internal sealed record TakenBackupDocument(BackupRunDocument? Run, bool WentOn, int? KeyFiles);

/// <summary>/backup: the backup in Backup:Folder. Where it is, the settings say alone.</summary>
internal sealed class BackupsResource(MailStore store, HostSettings settings, JobBoard jobs)
{
    private const string Read = "read:backup";
    private const string Write = "write:backup";

    public IEnumerable<Operation> Operations =>
    [
        new("GET", "/backup", Read, "The runs of the backup in `Backup:Folder`, the oldest first, and its last verification.", request => WithFolder(folder =>
        {
            try
            {
                return ApiAnswer.Json(new BackupDocument([.. folder.Manifests().Select(BackupRunDocument.Of)], BackupVerified.Read(folder)), ApiJson.Plain.BackupDocument);
            }
            catch (BackupDamagedException damaged)
            {
                return ApiAnswer.Problem(StatusCodes.Status409Conflict, "The backup is damaged", damaged.Message);
            }
        }))
        {
            Answer = ApiJson.Default.BackupDocument,
        },
        new("POST", "/backup", Write, "Takes what is new since the last run; a run that was ended goes on.", request => WithFolder(folder =>
            jobs.Begin(request, "backup", Write, ApiJson.Plain.TakenBackupDocument, (job, cancel) => TakeAsync(folder, job, cancel))))
        {
            Answer = ApiJson.Default.JobDocument, Result = ApiJson.Default.TakenBackupDocument, Status = 202,
        },
        new("POST", "/backup/verify", Write, "Reads the whole backup and compares it with its hashes.", request => WithFolder(folder =>
            jobs.Begin(request, "backup-verify", Write, ApiJson.Plain.BackupVerified, (job, cancel) => VerifyAsync(folder, job, cancel))))
        {
            Answer = ApiJson.Default.JobDocument, Result = ApiJson.Default.BackupVerified, Status = 202,
        },
    ];

    private Task<ApiAnswer> WithFolder(Func<BackupFolder, ApiAnswer> run) => Task.FromResult(settings.Backup.Folder.Length > 0
        ? run(new(settings.Backup.Folder))
        : ApiAnswer.Problem(StatusCodes.Status409Conflict, "There is no place for backups", "Set Backup:Folder, and Backup:Keys to somewhere else, and start the server again"));

    private async Task<JobOutcome<TakenBackupDocument>> TakeAsync(BackupFolder folder, Job job, CancellationToken cancel)
    {
        var keys = settings.Backup.Keys.Length > 0 ? KeyCopy.PlaceOf(settings.Backup.Keys, folder.Path) : null;
        using var one = BackupRun.Take(folder);
        var result = await BackupCommand.Failing(() => new LogBackup(store.Log, folder, at => job.Report(new(at.Stage, at.Done, at.Total))).RunAsync(cancel));
        var files = keys is null ? default(int?) : await BackupRun.CopyKeysAsync(store, settings, keys, cancel);
        var missing = result.Manifest?.Missing.Count ?? 0;
        return new(
            new(result.Manifest is { } manifest ? BackupRunDocument.Of(manifest) : null, result.WentOn, files),
            missing == 0 ? null : new("Contents have a row but no file", string.Create(null, $"{missing} of them are not in the backup")));
    }

    private static async Task<JobOutcome<BackupVerified>> VerifyAsync(BackupFolder folder, Job job, CancellationToken cancel)
    {
        BackupVerified verified;
        try
        {
            var backup = await new BackupVerification(folder, at => job.Report(new(at.Stage, at.Done, at.Total))).RunAsync(null, cancel);
            verified = new(DateTimeOffset.UtcNow, backup.Runs.Count, backup.Events, backup.Runs[^1].To, null);
        }
        catch (BackupDamagedException damaged)
        {
            verified = new(DateTimeOffset.UtcNow, 0, 0, 0, damaged.Message);
        }
        if (Directory.Exists(folder.Path))
            verified.Write(folder);
        return verified;
    }
}
