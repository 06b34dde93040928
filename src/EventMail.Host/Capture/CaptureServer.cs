using System.Diagnostics;
using System.Globalization;
using EventMail.Host.Cli;
using EventMail.Host.Composition;
using EventMail.Host.Configuration;
using EventMail.Host.Http;
using EventMail.Host.Http.Capture;
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
        await using var data = CaptureData.Open(kept, log);
        var settings = CaptureRules.Apply(run.Settings, data.Path);
        using var readyFile = ServeCommand.ReadyFileOf(run.Arguments);
        using var hostLock = HostLock.Take(settings.Data);
        log.Capturing(data.Path);

        var leftovers = CaptureLeftovers.RemoveAsync(log);
        var opening = Task.Run(() => ServerCertificates.Open(settings, logs.CreateLogger("EventMail.Tls")), stop); // while PostgreSQL starts
        await using var database = await HostDatabase.StartThrowAwayAsync(settings, logs, stop);
        var certificates = await opening;
        await using var services = await CaptureServices.StartAsync(new(settings, database, certificates, logs), stop);
        var listeners = await ServerListeners.OpenAsync(
            services.Listeners, certificates.ServerTls, allowPlaintextLogin: true, logs, fromAnywhere: settings.Capture.AllowRemote);
        using var streams = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var documents = new MessageDocuments(services.Store.Log.Contents, settings.Capture.MaxText);
        var webhooks = CaptureRules.Words(settings.Capture.Webhooks)
            .Select(url => new Webhook(new(url), services.Messages, documents, settings.Capture, log)).ToList();
        var api = new CaptureApi(services, settings.Capture, new(listeners, streams.Token), documents, streams.Token);
        await using var http = await OpenHttpAsync(settings.Capture, api, logs, listeners, stop);
        await leftovers;
        var tracing = new TraceFile(settings.Data).FollowAsync(listeners.Traces, log, stop);
        await Console.Out.WriteLineAsync(string.Create(
            CultureInfo.InvariantCulture, $"capture mode after {(DateTime.Now - began).TotalSeconds:0.00} s, data in {data.Path}{(data.IsThrowAway ? " (deleted at the end)" : "")}"));
        var addresses = http is null ? listeners.Addresses : $"{listeners.Addresses} http={http.EndPoint}";
        readyFile.Write(addresses);
        await Console.Out.WriteLineAsync($"ready {addresses}");

        await Task.WhenAny(Task.Delay(Timeout.Infinite, stop));
        log.Stopping();
        await Task.WhenAll(listeners.StopAsync(run.Signals.AtOnce), http?.StopAsync(run.Signals.AtOnce) ?? Task.CompletedTask);
        foreach (var webhook in webhooks)
            await webhook.DisposeAsync();
        await tracing;
        return ExitCodes.Done;
    }

    // Null where it is switched off.
    private static async Task<HttpServer?> OpenHttpAsync(
        CaptureSettings settings, CaptureApi api, ILoggerFactory logs, ServerListeners listeners, CancellationToken stop)
    {
        if (!settings.Port.IsOn)
            return null;
        try
        {
            var names = settings.AllowRemote ? CaptureRules.Words(settings.HostNames) : [];
            return await HttpServer.StartAsync("Capture", settings, new(names, settings.AllowRemote), api.Map, logs, stop);
        }
        catch
        {
            await listeners.StopAsync(new CancellationToken(canceled: true));
            throw;
        }
    }
}
