using System.CommandLine;
using EventMail.EventStore.Proof;
using EventMail.Host.Composition;
using EventMail.Projections.History;

namespace EventMail.Host.Cli;

internal static class AuditProveCommand
{
    // A proof of more would be better an export.
    public const int MaxEvents = 10_000;

    public static Command Create()
    {
        var address = new Argument<string?>("ADDRESS") { Arity = ArgumentArity.ZeroOrOne, Description = "An account; a closed one's log is still there" };
        var message = new Argument<string?>("MESSAGE") { Arity = ArgumentArity.ZeroOrOne, Description = "A Message-ID, or the SHA-256 of the message in hex" };
        var positions = new Option<long[]>("--event") { HelpName = "POSITION", Description = "An event by its position in the log instead; may be repeated" };
        var checkpoint = new Option<string?>("--checkpoint") { HelpName = "FILE", Description = "Against this checkpoint, which somebody holds; a new one by default" };
        var since = new Option<string?>("--since") { HelpName = "FILE", Description = "Instead: that the log goes on from this older checkpoint, which somebody holds" };
        var output = new Option<string?>("--out") { HelpName = "FILE", Description = "The proof goes there; to standard output by default" };
        var command = new Command("prove", "Writes a file that shows, without this server, that a message came in, that events are in the log, or that it goes on from an older checkpoint.")
        {
            address, message, positions, since, checkpoint, output,
        };
        StoreCommand.SetAction(command, async (store, run, stop) =>
        {
            var older = run.Arguments.GetValue(since);
            var wanted = older is not null ? []
                : run.Arguments.GetValue(positions) is { Length: > 0 } given ? given
                : (run.Arguments.GetValue(address), run.Arguments.GetValue(message)) is ({ } account, { } which) ? await FindAsync(store, account, which, stop)
                : throw new CommandFailedException("Say which message (ADDRESS MESSAGE), which events (--event POSITION), or since which checkpoint (--since FILE).", ExitCodes.Usage);
            try
            {
                var signed = run.Arguments.GetValue(checkpoint) is { } file ? await CheckpointFiles.LastAsync(file, stop)
                    : await AuditCheckpointCommand.SignAsync(store, run.Settings, stop);
                var maker = new ProofMaker(store.Log, new(store.Log));
                var proof = older is null ? (await maker.ProveAsync(signed, wanted, stop)).ToJson()
                    : (await maker.ProveContinuationAsync(await CheckpointFiles.LastAsync(older, stop), signed, stop)).ToJson();
                if (run.Arguments.GetValue(output) is { } path)
                    await File.WriteAllBytesAsync(path, proof, stop);
                else
                    await Console.Out.WriteLineAsync(System.Text.Encoding.UTF8.GetString(proof));
            }
            catch (InvalidDataException error)
            {
                throw new CommandFailedException($"No proof: {error.Message}.");
            }
        });
        return command;
    }

    private static async Task<long[]> FindAsync(MailStore store, string address, string message, CancellationToken stop)
    {
        var accounts = await store.History.AccountsAsync(address, stop);
        if (accounts.Count == 0)
            throw new CommandFailedException($"There is and was no account {address}. `eventmail account list` shows all.");
        var found = await MessageReceipts.FindAsync(store.Log, accounts, message, stop);
        return found.Count switch
        {
            0 => throw new CommandFailedException($"{address} never had a message {message}; `eventmail history {address}` shows what it had."),
            > MaxEvents => throw new CommandFailedException($"{found.Count} events are of {message}, more than the {MaxEvents} of a proof; name some of them with --event."),
            _ => [.. found],
        };
    }
}
