using System.Globalization;
using System.Text;
using EventMail.Domain;
using EventMail.EventStore.Proof;
using EventMail.Host.Audit;
using EventMail.Host.Cli;
using EventMail.Host.Composition;
using EventMail.Host.Configuration;
using EventMail.Host.Http.Admin.Jobs;
using EventMail.Host.Http.Admin.Log;
using EventMail.Host.Restoring;
using EventMail.Projections.History;
using Microsoft.AspNetCore.Http;

namespace EventMail.Host.Http.Admin.Resources;

/// <summary>/audit: checkpoints, proofs, and whether the log is what it was. What signs leaves a checkpoint in the folder of checkpoints.</summary>
internal sealed class AuditResource(MailStore store, HostDatabase database, HostSettings settings, JobBoard jobs, int maxPage)
{
    private const string Read = "read:audit";
    private const string Write = "write:audit";

    /// <summary>Findings of each kind that a verification tells one by one.</summary>
    private const int Told = 100;

    private readonly AccountRestore _accounts = new(store);

    public IEnumerable<Operation> Operations =>
    [
        new("GET", "/audit/key", Read, "The public key of the log's checkpoints, for those who are to check them.", KeyAsync) { MediaType = "text/plain" },
        new("GET", "/audit/checkpoints", Read, "The checkpoints that were signed here, the oldest first.", CheckpointsAsync)
        {
            Query = Parameter.Page(maxPage), Answer = ApiJson.Default.PageCheckpointDocument,
        },
        new("POST", "/audit/checkpoints", Write, "Signs what the log is now: a signed note (C2SP tlog-checkpoint) for somebody to hold.",
            request => TriedAsync(async () => TextAnswer("text/plain; charset=utf-8", Encoding.UTF8.GetBytes((await AuditCheckpointCommand.SignAsync(store, settings, request.Cancel)).ToString()))))
        {
            MediaType = "text/plain",
        },
        new("POST", "/audit/proofs", Write, "A file that shows, without this server, that an event is in the log, or that a message came in.", ProveAsync)
        {
            Query =
            [
                new("event", ParameterKind.Number, "The event's position in the log, as `/history` tells it.", 1),
                new("account", ParameterKind.Text, "Instead of it: whose message, by address or id."),
                new("message", ParameterKind.Text, "And which: its Message-ID, or the SHA-256 of its octets in hex."),
                new("size", ParameterKind.Number, "Against the checkpoint of so many events that is kept here; a new one by default.", 1),
            ],
            MediaType = "application/json",
        },
        new("POST", "/audit/proofs/since", Write, "A file that shows, without this server, that the log goes on from an older checkpoint, which somebody holds.", ProveContinuationAsync)
        {
            Body = ApiJson.Default.NewContinuationDocument, MediaType = "application/json",
        },
        new("POST", "/audit/verify", Write, "Finds and names events that were changed, removed, inserted or moved; if it is asked for, messages that are not what the log says.", VerifyAsync)
        {
            Body = ApiJson.Default.NewAuditDocument, Answer = ApiJson.Default.JobDocument, Result = ApiJson.Default.AuditDocument, Status = 202,
        },
    ];

    private Task<ApiAnswer> KeyAsync(ApiRequest request) => TriedAsync(() => Task.FromResult(
        TextAnswer("text/plain; charset=utf-8", Encoding.UTF8.GetBytes($"{AuditKeyFile.Open(settings, out _).Public}\n"))));

    private Task<ApiAnswer> CheckpointsAsync(ApiRequest request) => TriedAsync(async () =>
    {
        var after = 0;
        if (request.Text("after") is { } cursor && !int.TryParse(cursor, NumberStyles.None, CultureInfo.InvariantCulture, out after))
            return ApiAnswer.BadParameter("after is the `next` of a page");
        var all = await OwnCheckpoints.ReadAsync(settings, request.Cancel);
        var end = (int)Math.Min((long)after + request.Limit, all.Count);
        var page = new Page<CheckpointDocument>(
            [.. all.Take(end).Skip(after).Select(CheckpointDocument.Of)], end < all.Count ? end.ToString(CultureInfo.InvariantCulture) : null);
        return ApiAnswer.Json(page, ApiJson.Plain.PageCheckpointDocument);
    });

    private async Task<ApiAnswer> ProveAsync(ApiRequest request)
    {
        long[] positions;
        switch (request.Number("event"), request.Text("account"), request.Text("message"))
        {
            case ({ } position, null, null):
                positions = [position];
                break;
            case (null, { } named, { } message):
                if (await _accounts.FindAsync(named, request.Cancel) is not { } account)
                    return AccountFinder.Missing;
                positions = [.. await MessageReceipts.FindAsync(store.Log, [account], message, request.Cancel)];
                if (positions.Length is 0 or > AuditProveCommand.MaxEvents)
                    return positions.Length == 0 ? ApiAnswer.Refused(Rejection.MessageMissing)
                        : ApiAnswer.Refused(Rejection.Invalid($"{positions.Length} events are of this message, more than the {AuditProveCommand.MaxEvents} of a proof; name one with event"));
                break;
            default:
                return ApiAnswer.BadParameter("Say which event (event=POSITION, as /history tells it), or which message (account=ADDRESS&message=ID)");
        }
        // Its proof is all of an event, octet for octet.
        foreach (var e in await store.Log.Reader.ReadPositionsAsync(positions, new(), request.Cancel))
        {
            if (EventSecrets.AreIn(LogEntry.TypeOf(e, store.Log.Types)))
                return ApiAnswer.Refused(Rejection.Invalid($"What passwords or keys are checked with is in event {e.Sequence}; `eventmail audit prove --event {e.Sequence}` proves it on the server"));
        }
        return await AgainstAsync(request.Number("size"), async (maker, checkpoint) => (await maker.ProveAsync(checkpoint, positions, request.Cancel)).ToJson(), request.Cancel);
    }

    private async Task<ApiAnswer> ProveContinuationAsync(ApiRequest request)
    {
        var wanted = request.BodyOf<NewContinuationDocument>();
        if (wanted.Size < 1)
            return ApiAnswer.Refused(Rejection.Invalid("size is a number of events, from 1 on"));
        SignedCheckpoint? older;
        try
        {
            older = SignedCheckpoint.ParseAll(wanted.Since).LastOrDefault();
        }
        catch (FormatException error)
        {
            return ApiAnswer.Refused(Rejection.Invalid($"since is no checkpoint: {error.Message}"));
        }
        if (older is null)
            return ApiAnswer.Refused(Rejection.Invalid("since has no checkpoint: it is a signed note, as POST /audit/checkpoints answers it"));
        return await AgainstAsync(wanted.Size, async (maker, newer) => (await maker.ProveContinuationAsync(older, newer, request.Cancel)).ToJson(), request.Cancel);
    }

    // A checkpoint that is kept here, or a new one, and what is proved by it.
    private Task<ApiAnswer> AgainstAsync(long? size, Func<ProofMaker, SignedCheckpoint, Task<byte[]>> prove, CancellationToken cancel) => TriedAsync(async () =>
    {
        var checkpoint = size is null
            ? await AuditCheckpointCommand.SignAsync(store, settings, cancel)
            : (await OwnCheckpoints.ReadAsync(settings, cancel)).FirstOrDefault(kept => kept.Checkpoint.Size == size);
        return checkpoint is null
            ? ApiAnswer.NotFound("checkpoint")
            : TextAnswer("application/json", await prove(new(store.Log, new(store.Log)), checkpoint));
    });

    private async Task<ApiAnswer> VerifyAsync(ApiRequest request)
    {
        var wanted = request.BodyOf<NewAuditDocument>();
        var until = default(DateTimeOffset?);
        if (wanted.UnhashedUntil is { } text)
        {
            if (!ApiTime.TryRead(text, out var time))
                return ApiAnswer.Refused(Rejection.Invalid($"unhashedUntil is {ApiTime.Advice}"));
            until = time;
        }
        var tenant = default(string);
        if (wanted.Account is { } named && (tenant = await _accounts.FindAsync(named, request.Cancel)) is null)
            return AccountFinder.Missing;
        return jobs.Begin(request, "audit", Write, ApiJson.Plain.AuditDocument, async (job, cancel) =>
        {
            var audited = await new LogAudit(store, database, settings).RunAsync(
                new(tenant, until), wanted.Contents, Told, (stage, done, total) => job.Report(new(stage, done, total)), cancel);
            var chains = audited.Chains;
            return new AuditDocument(
                audited.Holds, chains.Events, chains.Streams, chains.UpTo, chains.Unhashed, chains.Foreign, chains.Faults,
                [.. audited.Found.Select(AuditFaultDocument.Of)], [.. audited.Lost.Take(Told).Select(LostKeyDocument.Of)],
                audited.Contents is { } contents ? AuditedContentsDocument.Of(contents) : null, audited.Tree is { } tree ? DocumentOf(tree) : null);
        });
    }

    private static TreeDocument DocumentOf(TreeReport tree)
    {
        var held = tree.Checkpoints.Where(finding => finding.Verdict == CheckpointVerdict.Holds).ToList();
        var shown = tree.Checkpoints.Where(finding => finding.Verdict != CheckpointVerdict.Holds).Take(Told)
            .Concat(held.Count == 0 ? [] : [held.MaxBy(finding => finding.Checkpoint.Size)]);
        return new(
            tree.Holds, tree.Events, tree.Root.ToString(), held.Count,
            [
                .. shown.Select(finding => new CheckpointVerdictDocument(
                    finding.Checkpoint.Origin, finding.Checkpoint.Size, finding.Checkpoint.Time, AuditFaultDocument.NameOf(finding.Verdict))),
            ],
            [.. CheckpointFork.In(tree.Checkpoints).Take(Told).Select(ForkDocument.Of)],
            [.. tree.Leaves.Take(Told).Select(leaf => new LeafDocument(AuditFaultDocument.NameOf(leaf.Fault), leaf.Position, leaf.Elsewhere))],
            Math.Max(0, tree.Leaves.Count + tree.MoreLeaves - Told), [.. tree.Damages.Take(Told)]);
    }

    private static async Task<ApiAnswer> TriedAsync(Func<Task<ApiAnswer>> work)
    {
        try
        {
            return await work();
        }
        catch (Exception error) when (error is CommandFailedException or InvalidDataException or SettingsException)
        {
            return ApiAnswer.Problem(StatusCodes.Status409Conflict, "It cannot be proved", error.Message);
        }
    }

    private static ApiAnswer TextAnswer(string media, byte[] octets) => ApiAnswer.Of(context =>
    {
        context.Response.ContentType = media;
        return context.Response.Body.WriteAsync(octets, context.RequestAborted).AsTask();
    });
}
