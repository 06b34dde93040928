using System.CommandLine;
using EventMail.Host.Capture;
using EventMail.Host.Composition;
using EventMail.Host.Http;
using EventMail.Host.Listeners;
using EventMail.Host.Logs;
using EventMail.Host.Tls;
using Microsoft.Extensions.Logging;

namespace EventMail.Host.Cli;

internal static class ServeCommand
{
    public const string Name = "serve";

    // The command line alone: a server that lets everybody in must not come from a file that was copied.
    private static readonly Option<bool> Capture = new("--capture")
    {
        Description = "For developers of other software: takes any mail and any password, relays nothing, shows all by HTTP, IMAP and POP3",
    };

    private static readonly Option<string?> ReadyFileOption = new("--ready-file")
    {
        Description = "A file that is there while the server is ready, with a line NAME=ADDRESS:PORT for each listener",
        HelpName = "FILE",
    };

    public static ReadyFile ReadyFileOf(ParseResult arguments) => new(arguments.GetValue(ReadyFileOption));

    public static bool IsCapture(ParseResult arguments) => arguments.CommandResult.Command.Name == Name && arguments.GetValue(Capture);

    public static Command Create()
    {
        var command = new Command(Name, "Runs the server until Ctrl-C or SIGTERM. Prints one line beginning `ready` when all listeners are open.") { Capture, ReadyFileOption };
        CommandLine.SetAction(command, RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(CommandRun run, CancellationToken stop)
    {
        if (IsCapture(run.Arguments))
            return await CaptureServer.RunAsync(run, CommandLine.DataFolderOf(run.Arguments), stop);
        var (settings, logs) = (run.Settings, run.Logs);
        var log = logs.CreateLogger("EventMail.Host");
        NativeHeap.KeepLargeBlocksApart();
        using var hostLock = HostLock.Take(settings.Data);
        using var readyFile = ReadyFileOf(run.Arguments);
        log.Starting(VersionCommand.Version, settings.Data);

        var opening = Task.Run(() => ServerCertificates.Open(settings, logs.CreateLogger("EventMail.Tls")), stop); // while PostgreSQL starts
        await using var database = await HostDatabase.StartAsync(settings, logs, stop);
        var certificates = await opening;
        await using var services = await EventMailServices.StartAsync(new(settings, database, certificates, logs), stop);
        var listeners = await ServerListeners.OpenAsync(services.Listeners, certificates.ServerTls, settings.Auth.AllowPlaintextOnLoopback, logs);
        if (await services.Accounts.EnsureFirstAccountAsync(settings.Hostname, new("system", "serve", "{}"), stop) is { } first)
            await Console.Out.WriteLineAsync($"first account {first.Address} password {first.Password}");
        await using var telemetry = services.Measure(listeners);
        await using var admin = services.Admin(listeners, telemetry, stop);
        await using var http = await OpenHttpAsync(admin, listeners, certificates, stop);
        await using var webhooks = services.TellWebhooks();
        services.StartDelivering(listeners.EndPointsOf("smtp"));
        var tracing = new TraceFile(settings.Data).FollowAsync(listeners.Traces, log, stop);
        var addresses = (http is null ? listeners.Addresses : $"{listeners.Addresses} http={http.EndPoint}").Trim();
        readyFile.Write(addresses);
        await Console.Out.WriteLineAsync($"ready {addresses}".TrimEnd());

        await Task.WhenAny(Task.Delay(Timeout.Infinite, stop));
        log.Stopping();
        // Sessions may still submit meanwhile: what they do waits in the queue.
        await Task.WhenAll(
            listeners.StopAsync(run.Signals.AtOnce), services.StopDeliveringAsync(run.Signals.AtOnce), http?.StopAsync(run.Signals.AtOnce) ?? Task.CompletedTask);
        await tracing;
        return ExitCodes.Done;
    }

    // All listeners or none.
    private static async Task<HttpServer?> OpenHttpAsync(
        AdminServer admin, ServerListeners listeners, ServerCertificates certificates, CancellationToken stop)
    {
        try
        {
            return await admin.OpenAsync(certificates, stop);
        }
        catch
        {
            await listeners.StopAsync(new CancellationToken(canceled: true));
            throw;
        }
    }
}

internal static partial class ServeLog
{
    [LoggerMessage(Level = LogLevel.Information, Message = "EventMail {version} starts with the data folder {dataFolder}")]
    public static partial void Starting(this ILogger log, string version, string dataFolder);

    [LoggerMessage(Level = LogLevel.Information, Message = "Stopping: no new connections, sessions finish what they are doing. Once more to cut them off")]
    public static partial void Stopping(this ILogger log);
}
