using EventMail.Domain;
using EventMail.Domain.Accounts;
using EventMail.EventStore;
using EventMail.Projections.Mailboxes;

namespace EventMail.Projections.Accounts;

/// <summary>The names that an account has subscribed to: kept on the account's stream (docs/decisions/0003). Thread-safe.</summary>
public sealed class Subscriptions(EventLog log)
{
    private readonly CommandExecutor _executor = log.Executor;

    /// <summary>For the mailboxes' service.</summary>
    public SubscriptionBook Book => new(NamesAsync, SubscribeAsync);

    /// <summary>Sorted.</summary>
    /// <param name="account">The id.</param>
    public async Task<IReadOnlyList<string>> NamesAsync(string account, CancellationToken cancel)
    {
        var loaded = await _executor.StateAsync(AccountStreamKinds.AccountStream(account), cancel).ConfigureAwait(false);
        return ((AccountState)loaded.State).Subscriptions;
    }

    /// <param name="account">The id.</param>
    /// <param name="on">SUBSCRIBE or UNSUBSCRIBE. A name may be subscribed while no mailbox has it.</param>
    public async Task<Result<Unit>> SubscribeAsync(
        string account, string name, bool on, Actor actor, string? cause, CancellationToken cancel)
    {
        var stream = AccountStreamKinds.AccountStream(account);
        var outcome = await _executor.ExecuteAsync(new AccountCommand(actor.Because(cause), [stream], decision =>
        {
            var state = decision.State<AccountState>(stream.Key);
            decision.Apply(stream.Key, on ? AccountDecider.Subscribe(state, name) : AccountDecider.Unsubscribe(state, name));
        }), cancel).ConfigureAwait(false);
        return outcome.Rejection is Rejection rejection ? rejection : default(Unit);
    }
}
