using EventMail.Domain;
using EventMail.Domain.Mailboxes;
using EventMail.EventStore;
using EventMail.Projections.Accounts;
using EventMail.Projections.Tests.Accounts;

namespace EventMail.Projections.Tests.Quotas;

/// <summary>Several nodes on one database: the quota holds for their sum, and each of them knows it at once.</summary>
public sealed class QuotaNodesTests
{
    [Fact]
    public async Task What_nodes_store_at_once_in_different_mailboxes_is_held_to_the_quota_exactly()
    {
        await using var accounts = await Filling.OpenAsync();
        var second = await TwoAsync(accounts);
        var joe = await Filling.JoeAsync(accounts);
        var answers = await Task.WhenAll(
            Enumerable.Range(0, 40).Select(i => i % 2 == 0
                ? Filling.AppendAsync(accounts.First, joe, 70_000, "Archive") : Filling.AppendAsync(second, joe, 70_000, "Sent")));
        answers.Count(answer => answer is null).ShouldBe(14);
        answers.Count(answer => answer == Rejection.OverQuota).ShouldBe(26);
        (await accounts.ScalarAsync<long>("select bytes from projections.quota")).ShouldBe(980_000);
        await Filling.ShouldBeRightAsync(accounts);
    }

    [Fact]
    public async Task A_limit_of_messages_holds_for_all_nodes_too()
    {
        await using var accounts = await Filling.OpenAsync();
        var second = await TwoAsync(accounts);
        var joe = await Filling.JoeAsync(accounts);
        (await accounts.Accounts.SetQuotaAsync(Filling.Joe, now => now with { Messages = 5 }, Actor.System, default)).Rejection.ShouldBeNull();
        await TestAccounts.EventuallyAsync(async () => (await second.Directory.UsageAsync(joe, default)).MessageLimit == 5);
        for (var round = 0; round < 6; round++)
        {
            await Task.WhenAll(
                Filling.AppendAsync(accounts.First, joe, 100, "Archive"), Filling.AppendAsync(second, joe, 100, "Sent"));
        }
        (await accounts.ScalarAsync<long>("select messages from projections.quota")).ShouldBe(5);
    }

    [Fact]
    public async Task What_one_node_stores_the_other_knows_at_RCPT_and_in_GETQUOTA_at_once()
    {
        await using var accounts = await Filling.OpenAsync();
        var second = await TwoAsync(accounts);
        var joe = await Filling.JoeAsync(accounts);
        (await second.Directory.UsageAsync(joe, default)).Used.ShouldBe(0);
        (await Filling.AppendAsync(accounts.First, joe, 950_000, "Archive")).ShouldBeNull();
        (await second.Directory.UsageAsync(joe, default)).ShouldBe(new QuotaUsage(950_000, Filling.Quota, 1));
        (await second.Directory.ResolveAsync("joe", "example.com", 100_000, default)).Status.ShouldBe(RecipientStatus.OverQuota);
        (await Filling.AppendAsync(second, joe, 100_000, "Sent")).ShouldBe(Rejection.OverQuota);
        (await Filling.AppendAsync(second, joe, 50_000, "Sent")).ShouldBeNull();
    }

    [Fact]
    public async Task Room_that_another_node_made_is_found_before_a_message_is_refused()
    {
        await using var accounts = await Filling.OpenAsync();
        var second = await TwoAsync(accounts);
        var joe = await Filling.JoeAsync(accounts);
        (await Filling.AppendAsync(accounts.First, joe, 950_000, "Archive")).ShouldBeNull();
        (await Filling.AppendAsync(second, joe, 10_000, "Sent")).ShouldBeNull(); // it knows of both
        using (var archive = (await accounts.First.Mailboxes.OpenAsync(joe, "Archive", default)).Value!)
            await accounts.First.Mailboxes.RemoveAsync(archive, UidSet.Of(1), Actor.System, null, default);
        await Task.Delay(1100);
        (await Filling.AppendAsync(second, joe, 500_000, "Sent")).ShouldBeNull();
        await Filling.ShouldBeRightAsync(accounts);
    }

    private static async Task<TestAccounts.Node> TwoAsync(TestAccounts accounts)
    {
        var second = await accounts.AddNodeAsync();
        await TestAccounts.EventuallyAsync(() => Task.FromResult(accounts.Events.Executor.OthersPresent && second.Log.Executor.OthersPresent));
        return second;
    }
}
