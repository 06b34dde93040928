using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using EventMail.EventStore.Proof;
using EventMail.Projections;
using Npgsql;

namespace EventMail.Host.Cli;

/// <summary>
/// The chains' half of `audit verify`. Needs nothing of the server but its database: it must say what is wrong with a log that no server could
/// start on, for somebody who has none of its keys, and it changes nothing.
/// </summary>
internal static class ChainVerifyRun
{
    public static readonly Option<string?> Account = new("--account")
    {
        HelpName = "ADDRESS",
        Description = "Only this account's events (its address, or its id), by their hashes; no checkpoints, which are of the whole log",
    };

    public static readonly Option<string?> UnhashedUntil = new("--unhashed-until")
    {
        HelpName = "TIME",
        Description = "Programs older than the hashes ran beside newer ones until then: their events are not told of",
    };

    /// <summary>Whose events alone are verified; null: everybody's.</summary>
    /// <exception cref="CommandFailedException">There is no such account.</exception>
    public static async Task<string?> TenantAsync(NpgsqlDataSource source, CommandRun run, CancellationToken stop) =>
        run.Arguments.GetValue(Account) is { } address ? await new AccountNames(source).TenantAsync(address, stop) : null;

    /// <summary>False when something is wrong; what it is was printed.</summary>
    public static async Task<bool> RunAsync(NpgsqlDataSource source, CommandRun run, CancellationToken stop)
    {
        var until = run.Arguments.GetValue(UnhashedUntil) is { } time ? TimeArgument.Parse(time) : default(DateTimeOffset?);
        var names = new AccountNames(source);
        var tenant = run.Arguments.GetValue(Account) is { } address ? await names.TenantAsync(address, stop) : null;
        return await VerifyAsync(source, new(tenant, until), names, run.Arguments.GetValue(ListOutput.Json), stop);
    }

    private static async Task<bool> VerifyAsync(NpgsqlDataSource source, ChainScope scope, AccountNames names, bool json, CancellationToken stop)
    {
        var start = Stopwatch.GetTimestamp();
        ChainSummary summary;
        Progress? bar = null;
        try
        {
            summary = await new ChainVerifier(source, EventStreams.Kinds).VerifyAsync(
                scope, fault => TellAsync(fault, names, json, bar, stop),
                progress => (bar ??= new("verifying", progress.Total, events => string.Create(CultureInfo.InvariantCulture, $"{events:N0} events"))).Report(progress.Events),
                stop);
        }
        finally
        {
            bar?.Dispose();
        }
        var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        await (json
            ? ListOutput.WriteJsonAsync(new
            {
                summary.Events,
                summary.Streams,
                UpToPosition = summary.UpTo,
                summary.Unhashed,
                summary.Foreign,
                summary.Faults,
                Seconds = Math.Round(seconds, 3),
            })
            : Console.Out.WriteLineAsync(WordsOf(summary, seconds)));
        return summary.Faults == 0;
    }

    private static async Task TellAsync(ChainFault fault, AccountNames names, bool json, Progress? bar, CancellationToken stop)
    {
        bar?.Dispose();
        var address = await names.AddressAsync(fault.Tenant, stop);
        await (json
            ? ListOutput.WriteJsonAsync(new
            {
                Fault = fault.Word,
                fault.Position,
                Account = address,
                fault.Tenant,
                fault.Stream,
                fault.Version,
                fault.Type,
                fault.Time,
                What = fault.Text,
            })
            : Console.Out.WriteLineAsync(Logs.PlainLines.OnOneLine(WordsOf(fault, address))));
    }

    private static string WordsOf(ChainFault fault, string? address)
    {
        string?[] where =
        [
            fault.Position is { } position ? string.Create(CultureInfo.InvariantCulture, $"position {position}") : null,
            fault.Type,
            fault.Time is { } time ? string.Create(CultureInfo.InvariantCulture, $"{time.UtcDateTime:yyyy-MM-dd HH:mm:ss.ffffff}Z") : null,
            address is null ? $"tenant {fault.Tenant}" : $"account {address}",
            string.Create(CultureInfo.InvariantCulture, $"stream {fault.Stream}{(fault.Version is { } version ? $" version {version}" : "")}"),
        ];
        return $"{fault.Word.ToUpperInvariant()}  {string.Join(", ", where.Where(part => part is not null))}: {fault.Text}.";
    }

    private static string WordsOf(ChainSummary summary, double seconds)
    {
        string?[] words =
        [
            string.Create(CultureInfo.InvariantCulture,
                $"{summary.Events:N0} events of {summary.Streams:N0} streams up to position {summary.UpTo} in {seconds:0.0} s: "),
            summary.Faults switch
            {
                0 => "no event was changed, reordered, inserted or removed from between others. ",
                1 => "1 fault. ",
                _ => string.Create(CultureInfo.InvariantCulture, $"{summary.Faults:N0} faults. "),
            },
            summary.Unhashed > 0
                ? string.Create(CultureInfo.InvariantCulture, $"{summary.Unhashed:N0} events have no hash of their own (older than hashes): the ones behind them protect them. ")
                : null,
            summary.Foreign > 0
                ? string.Create(CultureInfo.InvariantCulture, $"{summary.Foreign:N0} events are other applications' and have no hash. ")
                : null,
        ];
        return string.Concat(words).TrimEnd();
    }
}
