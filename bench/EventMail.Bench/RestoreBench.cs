using System.Globalization;
using System.Text;
using EventMail.Domain.Mailboxes;
using EventMail.EventStore;
using EventMail.Projections;
using EventMail.Projections.Accounts;
using EventMail.Projections.Deliveries;
using EventMail.Projections.History.Index;
using EventMail.Projections.Mailboxes;
using EventMail.Projections.Past;
using EventMail.Projections.Restoring;
using Microsoft.Extensions.Logging.Abstractions;
using Directory = EventMail.Projections.Accounts.Directory;
using Stopwatch = System.Diagnostics.Stopwatch;

namespace EventMail.Bench;

/// <summary>A mailbox of many messages is emptied, and restored: as of an instant, and by undoing the session that did it.</summary>
internal static class RestoreBench
{
    // Different ones; the others are copies of them.
    private const int Originals = 1_000;

    public static async Task RunAsync(BenchDatabase database, int messages)
    {
        var types = EventTypes.Create();
        await using var log = await EventLog.OpenAsync(
            new() { ConnectionString = await database.CreateAsync(), DataFolder = database.Folder }, types, ReadModels.Kinds, ReadModels.Inline(),
            ReadModels.Asynchronous(null), NullLoggerFactory.Instance, default);
        using var directory = await Directory.OpenAsync(log, new(), NullLoggerFactory.Instance, default);
        await using var mailboxes = new MailboxService(
            log, directory.UsageWithin, new Subscriptions(log).Book, directory.Names, new(), NullLoggerFactory.Instance);
        await using var deliveries = new DeliveryService(log, directory, mailboxes, new() { ReportingHost = "mx.example.test" }, NullLoggerFactory.Instance);
        var accounts = new AccountService(log, directory, new(new() { Argon2 = new(1, 64, 1), ScramIterations = 4096 }), SecretKey.Open(database.Folder), mailboxes, 1L << 40);
        var account = (await accounts.AddAsync("ann@example.test", "SecurePass123", null, Actor.System, default)).Value!.Account.Account;

        await FillAsync(log, mailboxes, account, messages);
        var past = new PastMailboxes(log);
        var wish = new RestoreWish(account, DateTimeOffset.UtcNow) { Mailbox = "Archive", Moved = true };
        await EmptyAsync(mailboxes, account, "thief");
        await MeasureAsync("as of an instant", mailboxes, account, messages, async () =>
            (await new RestoreService(log, mailboxes, past).RestoreAsync(wish, Actor.System, null, default)).Value!.Sum(line => line.Restored));
        await EmptyAsync(mailboxes, account, "another");
        await log.Projections.WaitForAsync(HistoryIndexProjection.ProjectionName, default);
        await MeasureAsync("undoing a session", mailboxes, account, messages, async () =>
            (await new SessionUndo(log, mailboxes, past, deliveries.Operations).UndoAsync("another", account, false, Actor.System, null, default)).Mailboxes.Sum(line => line.Restored));
    }

    private static async Task MeasureAsync(string title, MailboxService mailboxes, string account, int messages, Func<Task<long>> restore)
    {
        GC.Collect();
        var (clock, used, before) = (Stopwatch.StartNew(), Environment.CpuUsage.TotalTime, GC.GetTotalMemory(true));
        var most = before;
        long restored;
        await using (new Timer(_ => most = Math.Max(most, GC.GetTotalMemory(false)), null, TimeSpan.Zero, TimeSpan.FromMilliseconds(20)))
            restored = await restore();
        using var open = (await mailboxes.OpenAsync(account, "Archive", default)).Value!;
        var whole = open.View.Count == messages && restored == messages;
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{title}: {restored:n0} messages in {clock.Elapsed.TotalSeconds:n1} s, the process's CPU {(Environment.CpuUsage.TotalTime - used).TotalSeconds:n1} s; at most {(most - before) / 1e6:n0} MB more, {(GC.GetTotalMemory(true) - before) / 1e6:n0} MB more kept, working set {Environment.WorkingSet / 1e6:n0} MB{(whole ? "" : "; NOT ALL OF THEM")}"));
    }

    private static async Task FillAsync(EventLog log, MailboxService mailboxes, string account, int messages)
    {
        for (var i = 0; i < Originals; i++)
        {
            await using var message = IncomingMessage.Begin(log.Contents);
            await message.WriteAsync(Encoding.ASCII.GetBytes($"Subject: {i}\r\nMessage-ID: <{i}@example.test>\r\n\r\n{new string('x', 2000)}\r\n"), default);
            (await mailboxes.AppendAsync(account, "INBOX", await message.CompleteAsync(false, default), [@"\Seen"], DateTimeOffset.UtcNow, As("user"), null, default)).OrThrow();
        }
        using var inbox = (await mailboxes.OpenAsync(account, "INBOX", default)).Value!;
        for (var i = 0; i < messages / Originals; i++)
            (await mailboxes.CopyAsync(inbox, UidSet.OfRange(1, Originals), "Archive", move: false, As("user"), null, default)).OrThrow();
    }

    private static async Task EmptyAsync(MailboxService mailboxes, string account, string session)
    {
        using var archive = (await mailboxes.OpenAsync(account, "Archive", default)).Value!;
        (await mailboxes.RemoveAsync(archive, UidSet.OfRange(1, uint.MaxValue), As(session), null, default)).OrThrow();
    }

    private static Actor As(string session) => new("ann@example.test", session, """{"protocol":"imap"}""");

    private static T OrThrow<T>(this EventMail.Domain.Result<T> result) =>
        result.Rejection is { } refused ? throw new InvalidOperationException(refused.Text) : result.Value!;
}
