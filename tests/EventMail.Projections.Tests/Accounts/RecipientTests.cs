using EventMail.Domain;
using EventMail.Domain.Accounts;
using EventMail.Projections.Accounts;

namespace EventMail.Projections.Tests.Accounts;

/// <summary>Who gets mail for an address.</summary>
public sealed class RecipientTests
{
    [Theory]
    [InlineData("joe", "example.com")]
    [InlineData("JOE", "Example.COM")]
    [InlineData("joe+lists", "example.com")]
    [InlineData("joe+a+b", "example.com")]
    public async Task An_account_gets_mail_for_its_address_in_any_case_and_for_its_subaddresses(string localPart, string domain)
    {
        await using var accounts = await TestAccounts.OpenAsync();
        var joe = await accounts.AddAsync("joe@example.com");
        var answer = await accounts.Directory.ResolveAsync(localPart, domain, 0, default);
        answer.Status.ShouldBe(RecipientStatus.Local);
        answer.Recipients.Single().Account.ShouldBe(joe.Account);
        answer.Recipients.Single().Recipient.ShouldBe($"{localPart}@{domain}");
    }

    [Fact]
    public async Task An_unknown_name_is_unknown_and_a_foreign_domain_is_not_local()
    {
        await using var accounts = await TestAccounts.OpenAsync();
        await accounts.AddAsync("joe@example.com");
        (await StatusAsync(accounts, "jane", "example.com")).ShouldBe(RecipientStatus.Unknown);
        (await StatusAsync(accounts, "joe", "example.org")).ShouldBe(RecipientStatus.NotLocalDomain);
        (await StatusAsync(accounts, "", "example.com")).ShouldBe(RecipientStatus.Unknown);
        (await StatusAsync(accounts, new string('x', 10_000), "example.com")).ShouldBe(RecipientStatus.Unknown);
    }

    [Fact]
    public async Task A_suspended_account_takes_no_mail_until_it_is_resumed()
    {
        await using var accounts = await TestAccounts.OpenAsync();
        await accounts.AddAsync("joe@example.com");
        await accounts.Accounts.SuspendAsync("joe@example.com", null, Actor.System, default);
        (await StatusAsync(accounts, "joe", "example.com")).ShouldBe(RecipientStatus.Suspended);
        await accounts.Accounts.ResumeAsync("joe@example.com", Actor.System, default);
        (await StatusAsync(accounts, "joe", "example.com")).ShouldBe(RecipientStatus.Local);
    }

    [Fact]
    public async Task U004_An_alias_leads_to_each_account_once_and_never_to_itself()
    {
        await using var accounts = await TestAccounts.OpenAsync();
        await accounts.AddAsync("joe@example.com");
        await accounts.AddAsync("jane@example.com");
        await AliasAsync(accounts, "both@example.com", "joe@example.com", "jane@example.com");
        await AliasAsync(accounts, "all@example.com", "both@example.com", "joe@example.com");
        var answer = await accounts.Directory.ResolveAsync("all", "example.com", 0, default);
        answer.Recipients.Select(r => r.Address).Order().ShouldBe(["jane@example.com", "joe@example.com"]);

        (await accounts.Domains.AddAliasAsync("joe@example.com", ["jane@example.com"], Actor.System, default)).Rejection
            .ShouldBe(AccountRejections.AddressTaken);
        (await accounts.Domains.AddAliasAsync("loop@example.com", ["loop@example.com"], Actor.System, default)).IsOk.ShouldBeFalse();
        (await accounts.Domains.AddAliasAsync("away@example.com", ["someone@elsewhere.example"], Actor.System, default)).Rejection!.Kind
            .ShouldBe(RejectionKind.Invalid);
    }

    [Theory]
    [InlineData("postmaster", "example.com")]
    [InlineData("Postmaster", "")]
    [InlineData("postmaster+x", "example.com")]
    public async Task Postmasters_mail_is_always_taken(string localPart, string domain)
    {
        await using var accounts = await TestAccounts.OpenAsync();
        var first = await accounts.AddAsync("joe@example.com");
        var answer = await accounts.Directory.ResolveAsync(localPart, domain, 0, default);
        answer.Recipients.Single().Account.ShouldBe(first.Account);
    }

    [Theory]
    [InlineData("joe")]
    [InlineData("../joe@example.com")]
    [InlineData("jo/e@example.com")]
    [InlineData("joe\r\nx@example.com")]
    [InlineData("joe@exa mple.com")]
    [InlineData("joe@")]
    [InlineData("@example.com")]
    [InlineData("joe..x@example.com")]
    public async Task An_address_that_could_harm_is_no_accounts(string address)
    {
        await using var accounts = await TestAccounts.OpenAsync();
        (await accounts.Accounts.AddAsync(address, TestAccounts.Password, null, Actor.System, default)).Rejection!.Kind
            .ShouldBe(RejectionKind.Invalid);
        (await accounts.ScalarAsync<long>("select count(*) from mt_events")).ShouldBe(0);
    }

    [Fact]
    public async Task A_domain_with_addresses_is_not_removed()
    {
        await using var accounts = await TestAccounts.OpenAsync();
        await accounts.AddAsync("joe@example.com");
        (await accounts.Domains.RemoveDomainAsync("example.com", Actor.System, default)).IsOk.ShouldBeFalse();
        await accounts.Accounts.CloseAsync("joe@example.com", Actor.System, default);
        (await accounts.Domains.RemoveDomainAsync("example.com", Actor.System, default)).IsOk.ShouldBeTrue();
        (await StatusAsync(accounts, "joe", "example.com")).ShouldBe(RecipientStatus.NotLocalDomain);
    }

    [Fact]
    public async Task A_new_account_has_the_special_use_mailboxes()
    {
        await using var accounts = await TestAccounts.OpenAsync();
        var joe = await accounts.AddAsync("joe@example.com");
        (await accounts.First.Mailboxes.ListAsync(joe.Account, default)).Select(m => (m.Name, m.SpecialUse)).Order().ShouldBe(
            new (string, string?)[]
            {
                ("INBOX", null), ("Archive", @"\Archive"), ("Drafts", @"\Drafts"), ("Sent", @"\Sent"), ("Spam", @"\Junk"), ("Trash", @"\Trash"),
            }.Order());
    }

    private static async Task<RecipientStatus> StatusAsync(TestAccounts accounts, string localPart, string domain) =>
        (await accounts.Directory.ResolveAsync(localPart, domain, 0, default)).Status;

    private static async Task AliasAsync(TestAccounts accounts, string address, params string[] targets) =>
        (await accounts.Domains.AddAliasAsync(address, targets, Actor.System, default)).Rejection.ShouldBeNull();
}
