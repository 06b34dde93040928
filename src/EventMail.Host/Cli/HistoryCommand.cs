using System.CommandLine;
using System.Globalization;
using EventMail.Host.Composition;
using EventMail.Projections.History;

namespace EventMail.Host.Cli;

/// <summary>The log in plain words.</summary>
internal static class HistoryCommand
{
    // Further behind than this, an answer takes so long that it is said why.
    private const long Behind = 100_000;

    public static Command Create()
    {
        var arguments = new HistoryArguments();
        var limit = new Option<long>("--limit") { HelpName = "N", Description = "Events at most" };
        var follow = new Option<bool>("--follow") { Description = "Goes on with what comes, until Ctrl-C" };
        var format = new Option<string>("--format") { HelpName = "text|json|csv", Description = "Lines for people, JSON lines, or CSV (RFC 4180)", DefaultValueFactory = _ => "text" };
        format.AcceptOnlyFromAmong("text", "json", "csv");
        var command = new Command("history", "Prints the log in plain words: what happened, when, by whom, from where. Without anything: all of it.")
        {
            limit, follow, format, ListOutput.Json,
        };
        arguments.AddTo(command);
        StoreCommand.SetAction(command, async (store, run, stop) =>
        {
            var query = await arguments.QueryAsync(run, store, stop);
            var most = run.Arguments.GetValue(limit);
            if (most < 0)
                throw new CommandFailedException($"{most} is no number of events.", ExitCodes.Usage);
            await TellDelayAsync(store, query, stop);
            var output = HistoryOutput.Of(run.Arguments.GetValue(ListOutput.Json) ? "json" : run.Arguments.GetValue(format)!, whose: query.Accounts is null);
            var follows = run.Arguments.GetValue(follow);
            var (shown, last) = (0L, 0L);
            var told = false;
            void TellAway(Exception error)
            {
                if (!told)
                    Console.Error.WriteLine($"eventmail: The database does not answer ({error.Message}): it goes on when it does again.");
                told = true;
            }
            try
            {
                await foreach (var entry in follows ? store.History.FollowAsync(query, TellAway, stop) : store.History.ReadAsync(query, stop))
                {
                    if (most > 0 && shown == most)
                    {
                        await Console.Error.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"for more: --after {last}"));
                        return;
                    }
                    // Who reads it has gone: head has seen enough.
                    if (!await output.WriteAsync(entry))
                        return;
                    (shown, last, told) = (shown + 1, entry.Sequence, false);
                }
            }
            catch (OperationCanceledException) when (follows && stop.IsCancellationRequested)
            {
                return;
            }
            if (shown == 0)
                RefuseUnknown(query);
        });
        return command;
    }

    private static async Task TellDelayAsync(MailStore store, HistoryQuery query, CancellationToken stop)
    {
        if (query.Mailbox is null && await store.History.BehindAsync(stop) is > Behind and var behind)
            await Console.Error.WriteLineAsync(string.Create(
                CultureInfo.InvariantCulture, $"eventmail: the index of the log is {behind} events behind; they are looked at one by one. The running server catches up."));
    }

    // An id is copied from somewhere: that nothing goes by it is no empty answer.
    private static void RefuseUnknown(HistoryQuery query)
    {
        if (query.Message is { } message)
            throw new CommandFailedException($"The log has no message that goes by {message}, be it as Message-ID, EMAILID or SHA-256{Restricted(query)}.");
        if (query.Session is { } session)
            throw new CommandFailedException($"The log has no session {session}{Restricted(query)}. Sessions stand at the end of each line of `eventmail history`.");
        if (query.Mailbox is { } mailbox)
            throw new CommandFailedException($"No mailbox is or was called {mailbox}, or nothing happened in it{Restricted(query)}. `eventmail mailbox list` shows those that are there.");
    }

    private static string Restricted(HistoryQuery query) =>
        query is { Accounts: null, Since: null, Until: null, Types: null, Protocol: null, Client: null, Address: null, After: 0 } ? "" : " among what else was asked for";
}
