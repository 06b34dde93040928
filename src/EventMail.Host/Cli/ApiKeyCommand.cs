using System.CommandLine;
using System.Globalization;
using EventMail.Domain.ApiKeys;
using EventMail.Host.Configuration;

namespace EventMail.Host.Cli;

/// <summary>Keys to the admin API. They are made and ended here alone: no key can make another.</summary>
internal static class ApiKeyCommand
{
    public static Command Create() => new("api-key", "Keys to the admin API (HTTP).") { Issue(), List(), Revoke() };

    private static Command Issue()
    {
        var name = new Argument<string>("NAME") { Description = "Who uses it; the log says api:NAME of what is done with it" };
        var scopes = new Option<string[]>("--scopes")
        {
            Description = $"What it may do, separated by commas: {ApiScopes.Advice}",
            HelpName = "SCOPES",
            Required = true,
            AllowMultipleArgumentsPerToken = true,
        };
        var expires = new Option<string?>("--expires") { HelpName = "TIME", Description = "When it ends by itself: 2027-11-01, 2027-11-01T12:00:00Z, or 90d from now" };
        var command = new Command("create", "Makes a key and prints it once: it is kept nowhere.") { name, scopes, expires, ListOutput.Json };
        StoreCommand.SetAction(command, async (store, run, stop) =>
        {
            string[] wanted = [.. run.Arguments.GetValue(scopes)!.SelectMany(text => text.Split([',', ' '], StringSplitOptions.RemoveEmptyEntries))];
            var issued = (await store.ApiKeys.IssueAsync(
                run.Arguments.GetValue(name)!, wanted, TimeOf(run.Arguments.GetValue(expires)), StoreCommand.Operator, stop)).OrFail(run.Arguments.GetValue(name)!);
            if (run.Arguments.GetValue(ListOutput.Json))
                await ListOutput.WriteJsonAsync(new { issued.Entry.Id, issued.Entry.Name, issued.Entry.Scopes, issued.Entry.Expires, issued.Key });
            else
                await Console.Out.WriteLineAsync($"API key {issued.Entry.Name} made; it is shown this once:\n{issued.Key}");
        });
        return command;
    }

    private static Command List()
    {
        var command = new Command("list", "Prints all keys that were not revoked, without their secrets.") { ListOutput.Json };
        StoreCommand.SetAction(command, async (store, run, stop) =>
        {
            var keys = await store.ApiKeys.ListAsync(stop);
            await ListOutput.WriteAsync(
                run, keys.Select(Row.Of).ToAsyncEnumerable(), ["NAME", "ID", "SCOPES", "ISSUED", "EXPIRES"],
                row => [row.Name, row.Id, string.Join(',', row.Scopes), Time(row.Issued), row.Expired ? "expired" : row.Expires is { } at ? Time(at) : "never"]);
        });
        return command;
    }

    private static Command Revoke()
    {
        var name = new Argument<string>("NAME") { Description = "Its name or id, as `api-key list` prints it" };
        var command = new Command("revoke", "Ends a key at once, on all nodes.") { name };
        StoreCommand.SetAction(command, async (store, run, stop) =>
        {
            var named = run.Arguments.GetValue(name)!;
            (await store.ApiKeys.RevokeAsync(named, StoreCommand.Operator, stop)).OrFail(named);
            await Console.Out.WriteLineAsync($"API key {named} revoked");
        });
        return command;
    }

    private static DateTimeOffset? TimeOf(string? text)
    {
        if (text is null)
            return null;
        var now = DateTimeOffset.UtcNow;
        // A time of day is none: of which day?
        if (!text.Contains(':', StringComparison.Ordinal) && Units.TryParseDuration(text, out var ahead) && ahead < DateTimeOffset.MaxValue - now)
            return now + ahead;
        return TimeArgument.TryInstant(text, out var time)
            ? time
            : throw new CommandFailedException($"{text} is no time; write 2027-11-01, 2027-11-01T12:00:00Z, or 90d for ninety days from now.", ExitCodes.Usage);
    }

    private static string Time(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    private sealed record Row(string Name, string Id, IReadOnlyList<string> Scopes, DateTimeOffset Issued, DateTimeOffset? Expires, bool Expired)
    {
        public static Row Of(ApiKey key) => new(key.Name, key.Id, key.Scopes, key.Issued, key.Expires, key.IsExpired(DateTimeOffset.UtcNow));
    }
}
