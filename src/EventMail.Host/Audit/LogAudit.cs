using EventMail.EventStore.Proof;
using EventMail.Host.Composition;
using EventMail.Host.Configuration;
using EventMail.Projections;
using EventMail.Projections.Verification;

namespace EventMail.Host.Audit;

/// <param name="Found">The first faults.</param>
internal sealed record AuditedContents(ContentSummary Summary, IReadOnlyList<ContentFault> Found);

/// <param name="Found">The first faults.</param>
/// <param name="Lost">Whose personal fields cannot be opened any more without an order to erase: a word, and no fault.</param>
/// <param name="Contents">Null where no messages were read.</param>
/// <param name="Tree">Null where one account was verified.</param>
internal sealed record AuditedLog(ChainSummary Chains, IReadOnlyList<ChainFault> Found, IReadOnlyList<LostSubject> Lost, AuditedContents? Contents, TreeReport? Tree)
{
    public bool Holds => Chains.Faults == 0 && Contents is null or { Summary.Faults: 0 } && Tree?.Holds != false;
}

/// <summary>Verifies the log of a server at work: its chains, if it is asked for the messages that they name, then its tree and the checkpoints that are kept here.</summary>
internal sealed class LogAudit(MailStore store, HostDatabase database, HostSettings settings)
{
    /// <param name="contents">Reads every message as well.</param>
    /// <param name="told">Faults of each kind that are remembered one by one.</param>
    /// <param name="progress">Gets a stage, how many events (of contents: positions) are done, and of about how many.</param>
    public async Task<AuditedLog> RunAsync(ChainScope scope, bool contents, int told, Action<string, long, long?> progress, CancellationToken cancel)
    {
        // First what may refuse at once.
        IReadOnlyList<SignedCheckpoint> checkpoints = scope.Tenant is null ? await OwnCheckpoints.ReadAsync(settings, cancel) : [];
        await using var source = AuditedDatabase.Open(database);
        var found = new List<ChainFault>();
        var chains = new ChainVerifier(source, EventStreams.Kinds);
        var summary = await chains.VerifyAsync(scope, fault => KeepAsync(found, fault, told), at => progress("chains", at.Events, at.Total), cancel);
        progress("keys", 0, null);
        var lost = await new SubjectAudit(source).RunAsync(scope.Tenant, await chains.LastAsync(cancel), cancel);
        var read = contents ? await ContentsAsync(scope.Tenant, told, progress, cancel) : null;
        var tree = scope.Tenant is not null ? null : await new TreeVerification(source).RunAsync(
            [.. checkpoints.Select(signed => signed.Checkpoint)], events => progress("tree", events, summary.Events), cancel);
        return new(summary, found, lost, read, tree);
    }

    private async Task<AuditedContents> ContentsAsync(string? tenant, int told, Action<string, long, long?> progress, CancellationToken cancel)
    {
        progress("contents", 0, null);
        var found = new List<ContentFault>();
        var summary = await new ContentAudit(store.Log).RunAsync(
            tenant, fault => KeepAsync(found, fault, told), (done, total) => progress("contents", done, total), cancel);
        return new(summary, found);
    }

    private static Task KeepAsync<T>(List<T> found, T fault, int told)
    {
        if (found.Count < told)
            found.Add(fault);
        return Task.CompletedTask;
    }
}
