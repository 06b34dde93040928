using EventMail.EventStore;
using EventMail.EventStore.Proof;
using EventMail.Host.Cli;

namespace EventMail.Host.Moving.Export;

/// <summary>The log, or one account's part of it, as canonical lines that anybody can check (docs/moving.md).</summary>
internal static class EventExport
{
    /// <returns>The export's last line, and how many events are not as the hash in them says.</returns>
    public static async Task<(EventExportTrailer Trailer, long Damaged)> WriteAsync(EventLog log, string? tenant, string path, CancellationToken cancel)
    {
        var end = await log.Reader.EndAsync(cancel);
        var damaged = 0L;
        using var progress = new Progress("export", end, position => $"position {position}");
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, Options = FileOptions.Asynchronous };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        await using var file = new FileStream(path, options);
        var writer = new EventExportWriter(file, EventExportHeader.Of(tenant));
        await foreach (var line in new EventLines(log.DataSource).ReadAsync(0, end, tenant, cancel))
        {
            await writer.WriteAsync(line.Position, line.Line, cancel);
            damaged += line.IsAsHashed ? 0 : 1;
            progress.Report(line.Position);
        }
        var trailer = await writer.FinishAsync(cancel);
        file.Flush(flushToDisk: true);
        return (trailer, damaged);
    }

    /// <summary>Reads it again to its end.</summary>
    /// <exception cref="InvalidDataException">It is not what was written.</exception>
    public static async Task VerifyAsync(string path, CancellationToken cancel)
    {
        await using var file = File.OpenRead(path);
        var reader = await EventExportReader.OpenAsync(file, cancel);
        await foreach (var _ in reader.ReadAsync(cancel))
        {
        }
    }
}
