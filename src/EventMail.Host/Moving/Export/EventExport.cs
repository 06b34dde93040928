using EventMail.EventStore;
using EventMail.EventStore.Proof;
using EventMail.Host.Cli;

namespace EventMail.Host.Moving.Export;

/// <summary>The log, or one account's part of it, as canonical lines that anybody can check (docs/moving.md).</summary>
internal static class EventExport
{
    /// <param name="damages">Gets the events that are not as the hash in them says.</param>
    /// <returns>The export's last line.</returns>
    public static async Task<EventExportTrailer> WriteAsync(EventLog log, string? tenant, string path, ExportDamages damages, CancellationToken cancel)
    {
        var end = await log.Reader.EndAsync(cancel);
        using var progress = new Progress("export", end, position => $"position {position}");
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, Options = FileOptions.Asynchronous };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        await using var file = new FileStream(path, options);
        var writer = new EventExportWriter(file, EventExportHeader.Of(tenant));
        await foreach (var line in new EventLines(log.DataSource).ReadAsync(0, end, tenant, cancel))
        {
            await writer.WriteAsync(line.Position, line.Line, cancel);
            if (!line.IsAsHashed)
                damages.Add($"position {line.Position} is not as the hash in it says");
            progress.Report(line.Position);
        }
        var trailer = await writer.FinishAsync(cancel);
        file.Flush(flushToDisk: true);
        return trailer;
    }

    /// <summary>Reads it again to its end, and whether its events follow each other.</summary>
    /// <param name="trailer">As it was written.</param>
    /// <exception cref="IOException">It is not what was written.</exception>
    public static async Task VerifyAsync(string path, EventExportTrailer trailer, ExportDamages damages, CancellationToken cancel)
    {
        await using var file = File.OpenRead(path);
        using var progress = new Progress("verify", trailer.Events, VerifyWords.Events);
        var report = await ExportVerification.RunAsync(file, [], progress.Report, cancel);
        if ((report.Events, report.Root.ToString()) != (trailer.Events, trailer.Root))
            throw new IOException($"{path} does not read as it was written: the disk is not to be trusted.");
        foreach (var fault in report.Faults)
            damages.Add(fault);
    }
}
