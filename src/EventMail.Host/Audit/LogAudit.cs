using EventMail.EventStore.Proof;
using EventMail.Host.Composition;
using EventMail.Host.Configuration;
using EventMail.Projections;

namespace EventMail.Host.Audit;

/// <param name="Found">The first faults.</param>
/// <param name="Tree">Null where one account was verified.</param>
internal sealed record AuditedLog(ChainSummary Chains, IReadOnlyList<ChainFault> Found, TreeReport? Tree)
{
    public bool Holds => Chains.Faults == 0 && Tree?.Holds != false;
}

/// <summary>Verifies the log of a server at work: its chains, then its tree and the checkpoints that are kept here.</summary>
internal sealed class LogAudit(HostDatabase database, HostSettings settings)
{
    /// <param name="told">Faults that are remembered one by one.</param>
    /// <param name="progress">Gets a stage, how many events are done, and of about how many.</param>
    public async Task<AuditedLog> RunAsync(ChainScope scope, int told, Action<string, long, long?> progress, CancellationToken cancel)
    {
        // First what may refuse at once.
        IReadOnlyList<SignedCheckpoint> checkpoints = scope.Tenant is null ? await OwnCheckpoints.ReadAsync(settings, cancel) : [];
        await using var source = AuditedDatabase.Open(database);
        var found = new List<ChainFault>();
        var summary = await new ChainVerifier(source, EventStreams.Kinds).VerifyAsync(
            scope,
            fault =>
            {
                if (found.Count < told)
                    found.Add(fault);
                return Task.CompletedTask;
            },
            at => progress("chains", at.Events, at.Total), cancel);
        var tree = scope.Tenant is not null ? null : await new TreeVerification(source).RunAsync(
            [.. checkpoints.Select(signed => signed.Checkpoint)], events => progress("tree", events, summary.Events), cancel);
        return new(summary, found, tree);
    }
}
