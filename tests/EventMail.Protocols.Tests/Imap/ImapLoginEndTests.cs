using EventMail.Projections;
using EventMail.Projections.Accounts;

namespace EventMail.Protocols.Tests.Imap;

/// <summary>Sessions whose login counts no more while they go on.</summary>
public sealed class ImapLoginEndTests(ImapFixture fixture) : IClassFixture<ImapFixture>
{
    [Theory]
    [InlineData("suspend", @"\* BYE \[CONTACTADMIN\] Account disabled")]
    [InlineData("close", @"\* BYE .*")]
    [InlineData("password", @"\* BYE The account's password has changed: log in again")]
    [InlineData("revoke", @"\* BYE The account's password has changed: log in again")]
    public async Task A_session_that_idles_ends_at_once(string how, string bye)
    {
        var account = await fixture.NewAccountAsync();
        await fixture.Mail.Accounts.IssueAppPasswordAsync(account.Address, "phone", Actor.System, default);
        await using var client = await fixture.LogInAsync(account);
        await client.SendLineAsync("i IDLE");
        await client.ExpectMatchAsync(@"\+ idling");
        await EndAsync(account, how);
        await client.ExpectMatchAsync(bye);
        (await client.ReadLineAsync()).ShouldBeNull();
    }

    [Fact]
    public async Task A_session_that_says_nothing_ends_at_once_and_so_does_one_with_a_mailbox()
    {
        var account = await fixture.NewAccountAsync();
        await using var silent = await fixture.LogInAsync(account);
        await using var selected = await fixture.LogInAsync(account);
        await selected.SendLineAsync("s SELECT INBOX");
        while (!(await selected.ReadLineAsync())!.StartsWith("s OK", StringComparison.Ordinal))
        {
        }

        await EndAsync(account, "suspend");
        foreach (var client in new[] { silent, selected })
        {
            await client.ExpectMatchAsync(@"\* BYE \[CONTACTADMIN\] .*");
            (await client.ReadLineAsync()).ShouldBeNull();
        }
    }

    [Fact]
    public async Task Others_go_on_and_what_changes_no_login_ends_none()
    {
        var (account, other) = (await fixture.NewAccountAsync(), await fixture.NewAccountAsync());
        await using var client = await fixture.LogInAsync(account);
        await EndAsync(other, "suspend");
        await fixture.Mail.Accounts.SetQuotaAsync(account.Address, 1 << 20, Actor.System, default);
        await fixture.Mail.Accounts.IssueAppPasswordAsync(account.Address, "phone", Actor.System, default);
        await client.SendLineAsync("n NOOP");
        await client.ExpectMatchAsync("n OK .*");
    }

    private async Task EndAsync(AccountEntry account, string how)
    {
        var accounts = fixture.Mail.Accounts;
        var done = how switch
        {
            "suspend" => await accounts.SuspendAsync(account.Address, "stolen", Actor.System, default),
            "close" => await accounts.CloseAsync(account.Address, Actor.System, default),
            "password" => await accounts.SetPasswordAsync(account.Address, "another one", Actor.System, default),
            _ => await accounts.RevokeAppPasswordAsync(account.Address, "phone", Actor.System, default),
        };
        done.Rejection.ShouldBeNull();
    }
}
