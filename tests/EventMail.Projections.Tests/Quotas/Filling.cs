using System.Text;
using EventMail.Domain;
using EventMail.Domain.Accounts;
using EventMail.EventStore;
using EventMail.Projections.Mailboxes;
using EventMail.Projections.Tests.Accounts;

namespace EventMail.Projections.Tests.Quotas;

/// <summary>Joe's mailboxes and what is put into them, in kilobytes for the seed's gigabytes.</summary>
internal static class Filling
{
    public const long Quota = 1_000_000;

    public const string Joe = "joe@example.com";

    public static async Task<TestAccounts> OpenAsync()
    {
        var accounts = await TestAccounts.OpenAsync();
        await accounts.AddAsync(Joe, quota: Quota);
        return accounts;
    }

    public static async Task<string> JoeAsync(TestAccounts accounts) => (await accounts.Directory.FindAsync(Joe, default))!.Account;

    public static async Task<StagedContent> MessageAsync(EventLog log, int bytes)
    {
        const string header = "Subject: filling\r\n\r\n";
        await using var message = IncomingMessage.Begin(log.Contents);
        await message.WriteAsync(Encoding.ASCII.GetBytes(header + new string('x', bytes - header.Length)), default);
        return await message.CompleteAsync(mayExist: false, default);
    }

    public static async Task<Rejection?> AppendAsync(TestAccounts.Node node, string account, int bytes, string mailbox = "INBOX")
    {
        var staged = await MessageAsync(node.Log, bytes);
        return (await node.Mailboxes.AppendAsync(account, mailbox, staged, [], DateTimeOffset.UtcNow, Actor.System, null, default)).Rejection;
    }

    /// <summary>The marks of the account's events so far, in order; Joe's unless another one's are asked for.</summary>
    public static async Task<List<int>> MarksAsync(TestAccounts accounts, string? account = null)
    {
        account ??= await JoeAsync(accounts);
        var events = await accounts.EventsAsync("quota_threshold_crossed");
        return [.. events.Where(e => e.Stream.Tenant == account).Select(e => ((QuotaThresholdCrossed)e.Data).Percent)];
    }

    public static Task EventuallyAsync(TestAccounts accounts, params int[] marks) =>
        TestAccounts.EventuallyAsync(async () => (await MarksAsync(accounts)).SequenceEqual(marks));

    /// <summary>The kept totals of all accounts and those of their mailboxes: the same, always.</summary>
    public static async Task ShouldBeRightAsync(TestAccounts accounts)
    {
        const string wrong = """
            select count(*) from (
              select tenant_id, sum(bytes) filter (where not deleted) as bytes, sum(messages) filter (where not deleted) as messages
              from projections.mailbox group by tenant_id) m
            full join projections.quota q using (tenant_id)
            where q.bytes is distinct from coalesce(m.bytes, 0) or q.messages is distinct from coalesce(m.messages, 0)
            """;
        (await accounts.ScalarAsync<long>(wrong)).ShouldBe(0);
    }
}
