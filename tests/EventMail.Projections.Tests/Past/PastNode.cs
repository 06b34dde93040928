using EventMail.Domain.Mailboxes;
using EventMail.EventStore;
using EventMail.Projections.Past;
using EventMail.Projections.Tests.Mailboxes;
using EventMail.Testing;

namespace EventMail.Projections.Tests.Past;

/// <summary>A node that the tests of a class share: each has accounts of its own.</summary>
public sealed class PastNode : IAsyncLifetime
{
    private TestDatabase? _database;

    internal MailNode Node { get; private set; } = null!;

    internal TestDatabase Database => _database!;

    public PastMailboxes Past { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        _database = await MailNode.DatabaseAsync();
        Node = await MailNode.StartAsync(_database);
        Past = new(Node.Log);
    }

    public async Task DisposeAsync()
    {
        await Node.DisposeAsync();
        await _database!.DisposeAsync();
    }

    internal async Task<List<StoredEvent>> EventsAsync(StreamKey mailbox)
    {
        var events = new List<StoredEvent>();
        await foreach (var e in Node.Log.Reader.ReadStreamAsync(mailbox))
            events.Add(e);
        return events;
    }

    /// <summary>The state at each version of a stream, from 0 on.</summary>
    internal async Task<List<MailboxState>> StatesAsync(StreamKey mailbox)
    {
        var states = new List<MailboxState> { MailboxState.Empty };
        foreach (var e in await EventsAsync(mailbox))
            states.Add(states[^1].Evolve(e.Data, e.Version, e.Timestamp));
        return states;
    }
}
