using System.CommandLine;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using EventMail.Domain;
using EventMail.Domain.Retention;
using EventMail.EventStore.Proof;
using EventMail.Host.Composition;
using EventMail.Projections.Moving;
using EventMail.Projections.Retention;

namespace EventMail.Host.Cli;

/// <summary>Lawful erasure: contents are made unreadable, in copies of the database as well, and a file says so.</summary>
internal static class EraseCommand
{
    private const int DigestLength = 64;

    private static readonly JsonSerializerOptions Readable = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static readonly Option<string?> Reason = new("--reason") { HelpName = "TEXT", Description = "Why; stands in the log and in the certificate" };
    private static readonly Option<string?> Case = new("--case") { HelpName = "NAME", Description = "What the matter is called" };
    private static readonly Option<bool> DryRun = new("--dry-run") { Description = "Only say what would be erased" };
    private static readonly Argument<Guid> Id = new("ID") { Description = "As `erase list` prints it" };

    public static Command Create() => new("erase", "Makes messages unreadable for good, also in backups made before, by destroying their keys. The log stays as it is, and verifies.")
    {
        Message(), Account(), Strangers(), Content(), List(), Continue(), Certificate(),
    };

    private static Command Message()
    {
        var name = new Argument<string>("MESSAGE") { Description = "A Message-ID, an EMAILID, or the SHA-256 of the message in hex" };
        var account = new Option<string?>("--account") { HelpName = "ADDRESS", Description = "Only what came into this account; an EMAILID needs it. Who shares the octets loses them as well" };
        var command = new Command("message", "Erases a message, wherever it is.") { name, account, Reason, Case, DryRun, ListOutput.Json };
        StoreCommand.SetAction(command, async (store, run, stop) =>
        {
            var whose = run.Arguments.GetValue(account) is { } address ? await RetentionScope.AccountAsync(store, address, stop) : null;
            var found = await new ErasureSubjects(store.Log, store.Key).MessageAsync(run.Arguments.GetValue(name)!, whose, stop);
            if (found.Count == 0)
                throw new CommandFailedException($"No message {run.Arguments.GetValue(name)} ever was here; `eventmail history --message` shows a message's life.");
            await EraseAsync(store, run, found, null, stop);
        });
        return command;
    }

    private static Command Account()
    {
        var unlessQueued = new Option<bool>("--unless-queued") { Description = "Refuse while messages of the account wait in the queue, instead of cancelling them" };
        var command = new Command("account", "Erases all messages of a closed account that no other account ever had, and the addresses and names in its log. What it has in the queue is cancelled.")
        {
            RetentionScope.Address, unlessQueued, Reason, Case, DryRun, ListOutput.Json,
        };
        StoreCommand.SetAction(command, async (store, run, stop) =>
        {
            var address = run.Arguments.GetValue(RetentionScope.Address)!;
            var account = await RetentionScope.AccountAsync(store, address, stop);
            if (await store.Directory.GetAsync(account, stop) is not null)
                throw new CommandFailedException($"{address} is open: `eventmail account remove {address}` first.", ExitCodes.WrongMoment);
            if (run.Arguments.GetValue(unlessQueued) && await store.Erasures.WaitingAsync(account, stop) is > 0 and var waiting)
                throw new CommandFailedException(
                    $"{Amount.Of(waiting, "message")} of {address} in the queue: `eventmail queue list` shows what waits. Without --unless-queued it is cancelled.", ExitCodes.WrongMoment);
            await EraseAsync(store, run, await new ErasureSubjects(store.Log, store.Key).AccountAsync(account, stop), account, stop);
        });
        return command;
    }

    private static Command Strangers()
    {
        var day = new Option<string>("--day") { HelpName = "DATE", Required = true, Description = "The day in UTC, as 2026-11-01; it must be over" };
        var command = new Command("strangers", "Erases a day's logins of names that are no account's: the names, and where they came from.") { day, Reason, Case, DryRun, ListOutput.Json };
        StoreCommand.SetAction(command, async (store, run, stop) =>
        {
            var text = run.Arguments.GetValue(day)!;
            if (!DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var date))
                throw new CommandFailedException($"{text} is no day; write it as 2026-11-01.", ExitCodes.Usage);
            if (run.Arguments.GetValue(DryRun))
            {
                var found = await store.Erasures.StrangersAsync(date, stop);
                if (run.Arguments.GetValue(ListOutput.Json))
                    await ListOutput.WriteJsonAsync(found);
                else
                    await Console.Out.WriteLineAsync($"{Amount.Of(found.Sealed ? found.Events : 0, "event")} of {text} would lose names and addresses");
                return;
            }
            var id = (await store.Erasures.OrderStrangersAsync(date, ReasonOf(run), run.Arguments.GetValue(Case), StoreCommand.Operator, stop)).OrFail("erase");
            await CarryOutAsync(store, run, id, stop);
        });
        return command;
    }

    private static Command Content()
    {
        var digests = new Argument<string[]>("DIGEST") { Arity = ArgumentArity.OneOrMore, Description = "The SHA-256 of a message in hex" };
        var command = new Command("content", "Erases messages by their octets.") { digests, Reason, Case, DryRun, ListOutput.Json };
        StoreCommand.SetAction(command, async (store, run, stop) =>
        {
            string[] wanted = [.. run.Arguments.GetValue(digests)!.Select(digest => digest.ToLowerInvariant()).Distinct()];
            if (Array.Find(wanted, digest => digest.Length != DigestLength || !digest.All(char.IsAsciiHexDigit)) is { } wrong)
                throw new CommandFailedException($"{wrong} is no SHA-256 in hex.", ExitCodes.Usage);
            var found = await new ErasureSubjects(store.Log, store.Key).DigestsAsync(wanted, stop);
            if (wanted.Except(found.Select(content => content.Sha256)).FirstOrDefault() is { } missing)
                throw new CommandFailedException($"No content {missing} is stored, or was released. Nothing was erased.");
            await EraseAsync(store, run, found, null, stop);
        });
        return command;
    }

    private static async Task EraseAsync(MailStore store, CommandRun run, IReadOnlyList<ErasedContent> contents, string? subject, CancellationToken stop)
    {
        if (run.Arguments.GetValue(DryRun))
        {
            await TellPlanAsync(store, run, await store.Erasures.PlanAsync(contents, stop), subject, stop);
            return;
        }
        var reason = ReasonOf(run);
        // An account may have no contents of its own: its addresses and names are erased by an order as well.
        foreach (var part in contents.Count == 0 ? [[]] : contents.Chunk(ErasureState.MaxContents))
        {
            var id = (await store.Erasures.OrderAsync(part, subject, reason, run.Arguments.GetValue(Case), StoreCommand.Operator, stop)).OrFail("erase");
            await CarryOutAsync(store, run, id, stop);
        }
    }

    private static string ReasonOf(CommandRun run) => run.Arguments.GetValue(Reason) ?? throw new CommandFailedException("An erasure has a reason: say --reason TEXT.", ExitCodes.Usage);

    private sealed record Planned(IReadOnlyList<ErasedContent> Contents, int Stored, long Bytes, int Released, int Waiting);

    private static async Task TellPlanAsync(MailStore store, CommandRun run, ErasurePlan plan, string? account, CancellationToken stop)
    {
        var waiting = account is null ? 0 : await store.Erasures.WaitingAsync(account, stop);
        if (run.Arguments.GetValue(ListOutput.Json))
        {
            await ListOutput.WriteJsonAsync(new Planned(plan.Contents, plan.Stored, plan.Bytes, plan.Released, waiting));
            return;
        }
        await Console.Out.WriteLineAsync($"{Amount.Of(plan.Contents.Count, "content")} would be erased, {Text(plan.Stored)} of them stored, {ListOutput.Size(plan.Bytes)}");
        if (plan.Released > 0)
            await Console.Out.WriteLineAsync($"{Text(plan.Released)} of them released before: backups have them");
        if (waiting > 0)
            await Console.Out.WriteLineAsync($"{Amount.Of(waiting, "message")} in the queue would be cancelled; nobody is told of that");
    }

    private sealed record Done(Guid Id, int Contents, int Plain, int Messages, IReadOnlyList<string> WrappingKeys, long Rewrapped, DateTimeOffset UnreadableBefore, int Released, int Unknown, int Cancelled);

    private static async Task CarryOutAsync(MailStore store, CommandRun run, Guid id, CancellationToken stop)
    {
        ErasureCompleted end;
        try
        {
            end = await store.Erasures.CarryOutAsync(id, StoreCommand.Operator, stop);
        }
        catch (ErasureWaitsException waits)
        {
            throw new CommandFailedException($"Erasure {id} is ordered and not complete: {waits.Message}. `eventmail erase continue` tries again.", ExitCodes.WrongMoment);
        }
        if (run.Arguments.GetValue(ListOutput.Json))
        {
            await ListOutput.WriteJsonAsync(new Done(id, end.Contents, end.Plain, end.Messages, end.WrappingKeys, end.Rewrapped, end.UnreadableBefore, end.Released, end.Unknown, end.Cancelled));
            return;
        }
        await Console.Out.WriteLineAsync($"erasure {id}: {Amount.Of(end.Contents, "content")}, {Amount.Of(end.Messages, "message")} expunged, {Amount.Of(end.WrappingKeys.Length, "wrapping key")} destroyed, {Text(end.Rewrapped)} others wrapped anew");
        if (end.Cancelled > 0)
            await Console.Out.WriteLineAsync($"{Amount.Of(end.Cancelled, "message")} of the account's in the queue cancelled; nobody is told of that");
        if (end.Released > 0)
            await Console.Out.WriteLineAsync($"{Amount.Of(end.Released, "content")} released before{(end.Unknown > 0 ? $"; of {Text(end.Unknown)} it was not noted then under which key they were: backups from before may have them readable. Destroy those" : "")}");
        foreach (var place in await PlacesAsync(store, id, stop))
            await Console.Out.WriteLineAsync($"the account {(place.Came ? "came from" : "moved to")} {place.Server} on {Time(place.At)} (position {Text(place.Position)}): its mail may be there, out of reach of this erasure. Erase it there as well");
        if (end.Plain > 0)
            await Console.Out.WriteLineAsync($"{Text(end.Plain)} of them were stored plain: backups from before have them readable. Destroy those");
        await Console.Out.WriteLineAsync($"Run `backup --keys` now, or delete the destroyed keys from every copy: an older copy of them undoes the erasure. `eventmail erase certificate {id}` writes the certificate");
    }

    /// <summary>Where else an erased account's mail may be.</summary>
    private static async Task<IReadOnlyList<OtherPlace>> PlacesAsync(MailStore store, Guid id, CancellationToken stop) =>
        await store.Erasures.FindAsync(id, stop) is { } erasure ? await PlacesAsync(store, erasure, stop) : [];

    internal static async Task<IReadOnlyList<OtherPlace>> PlacesAsync(MailStore store, Erasure erasure, CancellationToken stop) =>
        erasure.Order is { Strangers: null, Subject: { } account } ? await OtherPlace.OfAsync(store.Log, account, stop) : [];

    private sealed record Row(Guid Id, DateTimeOffset Ordered, DateTimeOffset? Completed, int Contents, string Reason, string? Case);

    private static Command List()
    {
        var command = new Command("list", "Prints what was ordered, and whether it is complete.") { ListOutput.Json };
        StoreCommand.SetAction(command, async (store, run, stop) => await ListOutput.WriteAsync(
            run, (await store.Erasures.ListAsync(open: false, stop)).Select(e => new Row(e.Id, e.Ordered, e.Completed, e.Order.Contents.Length, e.Order.Reason, e.Order.Case)).ToAsyncEnumerable(),
            ["ID", "ORDERED", "COMPLETED", "CONTENTS", "CASE", "REASON"],
            row => [row.Id.ToString(), Time(row.Ordered), row.Completed is { } end ? Time(end) : "no", Text(row.Contents), row.Case ?? "", row.Reason]));
        return command;
    }

    private static Command Continue()
    {
        var command = new Command("continue", "Carries out what was ordered and is not complete. A server does so at its start.") { ListOutput.Json };
        StoreCommand.SetAction(command, async (store, run, stop) =>
        {
            foreach (var erasure in await store.Erasures.ListAsync(open: true, stop))
                await CarryOutAsync(store, run, erasure.Id, stop);
        });
        return command;
    }

    private static Command Certificate()
    {
        var checkpoint = new Option<string?>("--checkpoint") { HelpName = "FILE", Description = "Against this checkpoint, which somebody holds; a new one by default" };
        var output = new Option<string?>("--out") { HelpName = "FILE", Description = "The certificate goes there; to standard output by default" };
        var command = new Command("certificate", "Writes what was erased, and the proof that its order and its completion are in the log. scripts/check-proof.py checks it.") { Id, checkpoint, output };
        StoreCommand.SetAction(command, async (store, run, stop) =>
        {
            var id = run.Arguments.GetValue(Id);
            var erasure = await store.Erasures.FindAsync(id, stop) ?? throw new CommandFailedException($"There is no erasure {id}; `eventmail erase list` shows all.");
            if (erasure.End is not { } end)
                throw new CommandFailedException($"Erasure {id} is not complete: `eventmail erase continue`.", ExitCodes.WrongMoment);
            try
            {
                var signed = run.Arguments.GetValue(checkpoint) is { } file ? await CheckpointFiles.LastAsync(file, stop) : await AuditCheckpointCommand.SignAsync(store, run.Settings, stop);
                var proof = await new ProofMaker(store.Log, new(store.Log)).ProveAsync(signed, await store.Erasures.PositionsAsync(id, stop), stop);
                var certificate = Write(erasure, end, proof, await PlacesAsync(store, erasure, stop));
                if (run.Arguments.GetValue(output) is { } path)
                    await File.WriteAllTextAsync(path, certificate, stop);
                else
                    await Console.Out.WriteLineAsync(certificate);
            }
            catch (InvalidDataException error)
            {
                throw new CommandFailedException($"No certificate: {error.Message}.");
            }
        });
        return command;
    }

    // A proof as `audit prove` writes it, with a member that says in one place what its events say.
    internal static string Write(Erasure erasure, ErasureCompleted end, ProofFile proof, IReadOnlyList<OtherPlace> places)
    {
        var file = JsonNode.Parse(proof.ToJson())!.AsObject();
        file["erasure"] = new JsonObject
        {
            ["id"] = erasure.Id.ToString(),
            ["reason"] = erasure.Order.Reason,
            ["case"] = erasure.Order.Case,
            ["ordered"] = Time(erasure.Ordered),
            ["completed"] = Time(erasure.Completed!.Value),
            ["unreadable_before"] = Time(end.UnreadableBefore),
            ["stored_plain"] = end.Plain,
            ["messages_expunged"] = end.Messages,
            ["released_before"] = end.Released,
            ["released_under_unknown_keys"] = end.Unknown,
            ["deliveries_cancelled"] = end.Cancelled,
            ["account"] = erasure.Order.Strangers is null ? erasure.Order.Subject : null,
            ["strangers"] = erasure.Order.Strangers?.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
            ["not_erased_at"] = new JsonArray([.. places.Select(place => (JsonNode)new JsonObject
            {
                ["server"] = place.Server,
                ["account"] = place.Came ? "came from there" : "moved there",
                ["time"] = Time(place.At),
                ["position"] = place.Position,
            })]),
            ["sha256"] = new JsonArray([.. erasure.Order.Contents.Select(content => (JsonNode)content.Sha256)]),
            ["wrapping_keys_destroyed"] = new JsonArray([.. end.WrappingKeys.Select(key => (JsonNode)key)]),
        };
        return file.ToJsonString(Readable);
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Time(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
