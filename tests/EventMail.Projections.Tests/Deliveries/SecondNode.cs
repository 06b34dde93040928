using EventMail.EventStore;
using EventMail.Projections.Accounts;
using EventMail.Projections.Deliveries;
using EventMail.Projections.Mailboxes;
using Microsoft.Extensions.Logging.Abstractions;
using Directory = EventMail.Projections.Accounts.Directory;

namespace EventMail.Projections.Tests.Deliveries;

/// <summary>Another host on a test's database, or the same one after a restart.</summary>
internal sealed class SecondNode : IAsyncDisposable
{
    private readonly string _folder;
    private readonly Directory _directory;
    private readonly MailboxService _mailboxes;

    private SecondNode(string folder, EventLog log, Directory directory, MailboxService mailboxes, DeliveryService queue) =>
        (_folder, Log, _directory, _mailboxes, Queue) = (folder, log, directory, mailboxes, queue);

    public EventLog Log { get; }

    public DeliveryService Queue { get; }

    public static async Task<SecondNode> StartAsync(DeliveryFixture test, Func<DeliveryOptions, DeliveryOptions>? with = null)
    {
        var folder = System.IO.Directory.CreateTempSubdirectory("eventmail-tests-").FullName;
        var types = EventTypes.Create();
        var log = await EventLog.OpenAsync(
            new()
            {
                ConnectionString = test.Mail.Database.ConnectionString,
                DataFolder = folder,
                Keys = test.Mail.Database.Keys,
                ClosingGrace = TimeSpan.FromSeconds(2),
            },
            types,
            ReadModels.Kinds, ReadModels.Inline(), [], NullLoggerFactory.Instance, default);
        var directory = await Directory.OpenAsync(log, new(), NullLoggerFactory.Instance, default);
        var mailboxes = new MailboxService(
            log, directory.UsageWithin, new Subscriptions(log).Book, directory.Names, new(), NullLoggerFactory.Instance);
        var queue = DeliveryFixture.Open(
            log, directory, mailboxes, test.Clock, options => (with ?? (o => o))(options with { Node = "node-b" }));
        return new(folder, log, directory, mailboxes, queue);
    }

    public async ValueTask DisposeAsync()
    {
        await Queue.DisposeAsync();
        await _mailboxes.DisposeAsync();
        _directory.Dispose();
        await Log.DisposeAsync();
        System.IO.Directory.Delete(_folder, recursive: true);
    }
}
