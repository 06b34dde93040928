using System.CommandLine;
using System.Net;
using EventMail.Host.Logs;
using EventMail.Protocols.Wire;

namespace EventMail.Host.Cli;

internal static class TraceCommand
{
    public static Command Create() => new("trace", "The dialogue of connections in the running server's log, without passwords and messages.") { On(), Off(), Show() };

    private static Command On()
    {
        var listener = new Option<string?>("--listener") { HelpName = "NAME", Description = "smtp, lmtp, imap, imaps, pop3 or pop3s" };
        var client = new Option<string?>("--client") { HelpName = "IP", Description = "The client's address" };
        var connection = new Option<string?>("--connection") { HelpName = "ID", Description = "The connection_id that the log names" };
        var command = new Command("on", "Traces connections that match all that is given, open ones and new ones, until `trace off` or the next start.")
        {
            listener, client, connection,
        };
        CommandLine.SetAction(command, async (run, _) =>
        {
            IPAddress? address = null;
            if (run.Arguments.GetValue(client) is { } text && !IPAddress.TryParse(text, out address))
                throw new CommandFailedException($"{text} is no IP address.", ExitCodes.Usage);
            var filter = new WireTraceFilter(run.Arguments.GetValue(connection), run.Arguments.GetValue(listener), address);
            await new TraceFile(run.Settings.Data).AddAsync(filter);
            await Console.Out.WriteLineAsync($"tracing {TraceFile.LineOf(filter)}");
            return ExitCodes.Done;
        });
        return command;
    }

    private static Command Off()
    {
        var command = new Command("off", "Ends all traces.");
        CommandLine.SetAction(command, async (run, _) =>
        {
            new TraceFile(run.Settings.Data).Clear();
            await Console.Out.WriteLineAsync("tracing nothing");
            return ExitCodes.Done;
        });
        return command;
    }

    private static Command Show()
    {
        var command = new Command("show", "Prints what is traced.");
        CommandLine.SetAction(command, async (run, _) =>
        {
            foreach (var filter in new TraceFile(run.Settings.Data).Read())
                await Console.Out.WriteLineAsync(TraceFile.LineOf(filter));
            return ExitCodes.Done;
        });
        return command;
    }
}
