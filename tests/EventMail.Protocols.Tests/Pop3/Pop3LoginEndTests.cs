using EventMail.Projections;

namespace EventMail.Protocols.Tests.Pop3;

/// <summary>Sessions whose login counts no more while they go on: they end, and remove nothing.</summary>
public sealed class Pop3LoginEndTests(Pop3Fixture fixture) : IClassFixture<Pop3Fixture>
{
    [Fact]
    public async Task A_suspended_account_s_session_ends_and_nothing_is_removed()
    {
        var account = await fixture.NewAccountAsync();
        await using (var client = await fixture.LogInAsync(account))
        {
            (await client.AskAsync("DELE 1"))!.ShouldStartWith("+OK");
            (await fixture.Mail.Accounts.SuspendAsync(account.Address, "stolen", Actor.System, default)).Rejection.ShouldBeNull();
            (await client.ReadLineAsync()).ShouldBe("-ERR [SYS/PERM] The account is disabled, nothing was removed");
            (await client.ReadLineAsync()).ShouldBeNull();
        }

        (await fixture.Mail.Accounts.ResumeAsync(account.Address, Actor.System, default)).Rejection.ShouldBeNull();
        await using var again = await fixture.LogInAsync(account);
        (await again.AskAsync("STAT"))!.ShouldStartWith("+OK 3 ");
    }

    [Fact]
    public async Task A_password_that_is_changed_or_revoked_ends_the_session()
    {
        var account = await fixture.NewAccountAsync();
        await fixture.Mail.Accounts.IssueAppPasswordAsync(account.Address, "phone", Actor.System, default);
        await using var client = await fixture.LogInAsync(account);
        (await fixture.Mail.Accounts.RevokeAppPasswordAsync(account.Address, "phone", Actor.System, default)).Rejection.ShouldBeNull();
        (await client.ReadLineAsync()).ShouldBe("-ERR [AUTH] The account's password has changed, nothing was removed");
        (await client.ReadLineAsync()).ShouldBeNull();
    }
}
