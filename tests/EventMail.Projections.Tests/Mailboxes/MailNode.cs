using System.Runtime.CompilerServices;
using System.Text;
using EventMail.Domain.Mailboxes;
using EventMail.EventStore;
using EventMail.Projections.Accounts;
using EventMail.Projections.Mailboxes;
using EventMail.Projections.Metadata;
using EventMail.Projections.Past;
using EventMail.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace EventMail.Projections.Tests.Mailboxes;

/// <summary>A node with mailboxes on a test's database.</summary>
internal sealed class MailNode : IAsyncDisposable
{
    public static readonly Actor Someone = new("user@example.test", "session", "{}");

    private readonly string _folder;

    private MailNode(string folder, EventLog log, MailboxService mailboxes, MessageSummaries summaries) =>
        (_folder, Log, Mailboxes, Summaries) = (folder, log, mailboxes, summaries);

    public EventLog Log { get; }

    public MailboxService Mailboxes { get; }

    public MessageSummaries Summaries { get; }

    /// <summary>A database with the tables that a node wants.</summary>
    public static Task<TestDatabase> DatabaseAsync() => PreparedDatabase.CreateAsync("mail node", Inline(), []);

    public static async Task<MailNode> StartAsync(
        TestDatabase database, MailboxOptions? options = null, QuotaGuard? quota = null, long cacheWeight = 100_000,
        long summaryBytes = MessageSummaries.DefaultCacheBytes, IReadOnlyList<IAsyncProjection>? projections = null)
    {
        var folder = Path.Combine(Path.GetTempPath(), "eventmail-tests", Path.GetRandomFileName());
        System.IO.Directory.CreateDirectory(folder);
        var types = new EventTypeMap().RegisterMailboxEvents().RegisterMetadataEvents();
        var log = await EventLog.OpenAsync(
            new()
            {
                ConnectionString = database.ConnectionString,
                DataFolder = folder,
                Keys = database.Keys,
                StateCacheWeight = cacheWeight,
                ClosingGrace = TimeSpan.FromSeconds(5),
            },
            types, [MailboxKind.Instance, MetadataKind.Instance], Inline(), projections ?? [],
            NullLoggerFactory.Instance, default);
        var mailboxes = new MailboxService(
            log, quota ?? ((_, _, _, _) => new QuotaUsage(0, long.MaxValue)), NoSubscriptions, Names, options ?? new() { RecentClaimDelay = TimeSpan.FromMilliseconds(20) },
            NullLoggerFactory.Instance);
        return new(folder, log, mailboxes, new(log, summaryBytes));
    }

    private static IInlineProjection[] Inline() =>
        [new MailboxListProjection(), new PastNamesProjection(), new MailboxSnapshotTables(), new MessageSummaryProjection(), new MetadataProjection()];

    /// <summary>An account's address here is its id at example.test.</summary>
    private static readonly AccountNames Names = new(
        (name, _) => new(name.EndsWith("@example.test", StringComparison.Ordinal) ? name[..^"@example.test".Length] : null),
        (account, _) => new($"{account}@example.test"));

    private static readonly SubscriptionBook NoSubscriptions = new(
        (_, _) => Task.FromResult<IReadOnlyList<string>>([]), (_, _, _, _, _, _) => throw new NotSupportedException());

    /// <summary>The default mailboxes of a new account.</summary>
    public async Task<NewAccountMailboxes> AddAccountAsync(string account)
    {
        var mailboxes = new NewAccountMailboxes(account);
        (await Log.Executor.ExecuteAsync(new Plain(mailboxes.Streams, mailboxes.Decide), default)).Rejection.ShouldBeNull();
        return mailboxes;
    }

    public sealed class Plain(IReadOnlyList<StreamRef> streams, Action<Decision> decide) : Command
    {
        public override IReadOnlyList<StreamRef> Streams => streams;

        public override EventMetadata Metadata => EventMetadata.System;

        public override void Decide(Decision decision) => decide(decision);
    }

    public async Task<StagedContent> MessageAsync(string text, bool mayExist = false)
    {
        await using var message = IncomingMessage.Begin(Log.Contents);
        await message.WriteAsync(Encoding.UTF8.GetBytes(text), default);
        return await message.CompleteAsync(mayExist, default);
    }

    public static string Text(int i) =>
        $"From: sender{i}@example.test\r\nTo: user@example.test\r\nSubject: Message {i}\r\nMessage-ID: <m{i}@example.test>\r\n\r\nBody {i}\r\n";

    public async Task<IReadOnlyList<Delivered>> ReceiveAsync(int i, params string[] accounts)
    {
        var result = await Mailboxes.Arrivals.ReceiveAsync(
            [.. accounts.Select(a => new LocalRecipient(a, $"{a}@example.test", $"{a}+x@example.test"))], await MessageAsync(Text(i)),
            "sender@example.test", $"m{i}@example.test", QuotaRule.EveryoneFits, Someone, "1", default);
        result.Rejection.ShouldBeNull();
        return result.Value!;
    }

    public async Task<uint> AppendAsync(string account, string mailbox, int i, params string[] flags)
    {
        var result = await Mailboxes.AppendAsync(
            account, mailbox, await MessageAsync(Text(i)), flags, DateTimeOffset.FromUnixTimeSeconds(1_700_000_000 + i), Someone, "A1", default);
        result.Rejection.ShouldBeNull();
        return result.Value.Uid;
    }

    public async Task<OpenMailbox> OpenAsync(string account, string mailbox)
    {
        var result = await Mailboxes.OpenAsync(account, mailbox, default);
        result.Rejection.ShouldBeNull();
        return result.Value!;
    }

    public async Task<UidSet> StoreAsync(OpenMailbox mailbox, string uids, StoreMode mode, params string[] flags)
    {
        var result = await Mailboxes.StoreAsync(mailbox, UidSet.Parse(uids), mode, flags, null, Someone, "A2", default);
        result.Rejection.ShouldBeNull();
        return result.Value!.Changed;
    }

    /// <summary>The state as the log alone tells it.</summary>
    public async Task<MailboxState> FoldAsync(StreamKey key)
    {
        var state = MailboxState.Empty;
        await foreach (var e in Log.Reader.ReadStreamAsync(key))
            state = state.Evolve(e.Data, e.Version, e.Timestamp);
        return state;
    }

    /// <summary>Views that are not yet persisted stay so, as in a crash.</summary>
    public async ValueTask DisposeAsync()
    {
        Summaries.Dispose();
        await Mailboxes.DisposeAsync();
        await Log.DisposeAsync();
        System.IO.Directory.Delete(_folder, recursive: true);
    }
}

internal static class Comparisons
{
    public static void ShouldShow(this MailboxView view, MailboxView expected)
    {
        view.Count.ShouldBe(expected.Count);
        view.UidNext.ShouldBe(expected.UidNext);
        view.HighestModSeq.ShouldBe(expected.HighestModSeq);
        view.Flags.Keywords.ShouldBe(expected.Flags.Keywords);
        (view.Unseen, view.Deleted, view.Flagged, view.Bytes).ShouldBe((expected.Unseen, expected.Deleted, expected.Flagged, expected.Bytes));
        for (var i = 0; i < view.Count; i++)
        {
            if (view[i] != expected[i])
                throw new ShouldAssertException($"message {i} is {view[i]}, not {expected[i]}");
        }
    }

    public static Task ShouldBecomeAsync(Func<bool> condition, [CallerArgumentExpression(nameof(condition))] string what = "") =>
        Waiting.UntilAsync(condition, what: what);
}
