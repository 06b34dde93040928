using EventMail.Domain.Accounts;
using EventMail.EventStore;

namespace EventMail.Projections.Accounts;

internal static class DirectoryCommands
{
    /// <summary>Runs a command and words what the directory's constraints refuse: only the database knows what other nodes did.</summary>
    public static async Task<Outcome> ExecuteAsync(
        CommandExecutor executor, Actor actor, IReadOnlyList<StreamRef> streams, Action<Decision> decide, CancellationToken cancel, bool onWhatIsLeft = false)
    {
        var outcome = await executor.ExecuteAsync(new AccountCommand(actor.Because(null), streams, decide) { OnWhatIsLeft = onWhatIsLeft }, cancel).ConfigureAwait(false);
        return outcome.Rejection is not ConstraintConflict conflict ? outcome
            : conflict.ConstraintName == DirectoryProjection.DomainOfAddress ? outcome with { Rejection = AccountRejections.DomainInUse }
            : outcome with { Rejection = AccountRejections.AddressTaken };
    }
}
