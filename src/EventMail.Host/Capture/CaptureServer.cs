using System.Diagnostics;
using System.Globalization;
using EventMail.Host.Cli;
using EventMail.Host.Composition;
using EventMail.Host.Listeners;
using EventMail.Host.Logs;
using EventMail.Host.Tls;
using Microsoft.Extensions.Logging;

namespace EventMail.Host.Capture;

/// <summary>`serve --capture`: the server for developers of other software, from the command line to its end.</summary>
internal static class CaptureServer
{
    /// <param name="kept">--data; null for a throw-away folder.</param>
    public static async Task<int> RunAsync(CommandRun run, string? kept, CancellationToken stop)
    {
        var logs = run.Logs;
        var log = logs.CreateLogger("EventMail.Capture");
        var began = Process.GetCurrentProcess().StartTime;
        NativeHeap.KeepLargeBlocksApart();
        CaptureRules.Apply(run.Settings, ""); // before anything is made
        using var data = CaptureData.Open(kept, log);
        var settings = CaptureRules.Apply(run.Settings, data.Path);
        using var hostLock = HostLock.Take(settings.Data);
        log.Capturing(data.Path);

        await using var database = await HostDatabase.StartAsync(settings, logs, stop);
        var certificates = ServerCertificates.Open(settings, logs.CreateLogger("EventMail.Tls"));
        await using var services = await CaptureServices.StartAsync(new(settings, database, certificates, logs), stop);
        var listeners = await ServerListeners.OpenAsync(
            services.Listeners, certificates.ServerTls, allowPlaintextLogin: true, logs, fromAnywhere: settings.Capture.AllowRemote);
        var tracing = new TraceFile(settings.Data).FollowAsync(listeners.Traces, log, stop);
        await Console.Out.WriteLineAsync(string.Create(
            CultureInfo.InvariantCulture, $"capture mode after {(DateTime.Now - began).TotalSeconds:0.00} s, data in {data.Path}{(data.IsThrowAway ? " (deleted at the end)" : "")}"));
        await Console.Out.WriteLineAsync($"ready {listeners.Addresses}".TrimEnd());

        await Task.WhenAny(Task.Delay(Timeout.Infinite, stop));
        log.Stopping();
        await listeners.StopAsync(run.Signals.AtOnce);
        await tracing;
        return ExitCodes.Done;
    }
}
