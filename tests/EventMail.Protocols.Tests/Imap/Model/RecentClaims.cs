using System.Collections.Concurrent;
using EventMail.Domain.Mailboxes;
using EventMail.EventStore;
using EventMail.Testing;

namespace EventMail.Protocols.Tests.Imap.Model;

/// <summary>
/// The versions of an account's mailboxes that only say who was told of \Recent. They are written behind, whenever it suits the
/// server, so the model can leave them out only where they are.
/// </summary>
internal sealed class RecentClaims : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly ConcurrentDictionary<(Guid Mailbox, long Version), bool> _versions = new();
    private readonly IDisposable _subscription;

    public RecentClaims(TestMail mail, string account) =>
        _subscription = mail.Log.Executor.Feed.Subscribe(batch => Follow(batch, account));

    private void Follow(CommitBatch batch, string account)
    {
        foreach (var e in batch.Changes.Where(change => change.Key.Tenant == account).SelectMany(change => change.Events))
        {
            if (e.Data is RecentClaimed)
                _versions[(e.Stream.Id, e.Version)] = true;
        }
    }

    public bool Has(Guid mailbox, long version) => _versions.ContainsKey((mailbox, version));

    /// <summary>Whether all of these are claims; one that the server has told of just now may be a moment away.</summary>
    public bool HasAll(Guid mailbox, long above, long upTo) =>
        upTo - above < 1000
        && SpinWait.SpinUntil(() => Enumerable.Range(1, (int)(upTo - above)).All(i => Has(mailbox, above + i)), upTo > above ? Patience : TimeSpan.Zero);

    public void Dispose() => _subscription.Dispose();
}
