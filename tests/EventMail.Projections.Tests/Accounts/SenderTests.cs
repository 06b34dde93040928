using EventMail.Projections.Accounts;
using EventMail.Testing;

namespace EventMail.Projections.Tests.Accounts;

public sealed class SenderTests : IAsyncLifetime
{
    private TestMail _mail = null!;
    private AccountEntry _alice = null!;
    private AccountEntry _bob = null!;

    public async Task InitializeAsync()
    {
        _mail = await TestMail.StartAsync();
        (_alice, _bob) = (await _mail.NewAccountAsync(), await _mail.NewAccountAsync());
    }

    public async Task DisposeAsync()
    {
        await using (_mail)
            await _mail.ShouldBeWhatTheLogSaysAsync();
    }

    [Fact]
    public async Task An_account_may_send_as_itself_in_any_case_and_with_any_detail()
    {
        (await MayAsync(_alice, _alice.Address)).ShouldBeTrue();
        (await MayAsync(_alice, _alice.Address.ToUpperInvariant())).ShouldBeTrue();
        (await MayAsync(_alice, _alice.Address.Replace("@", "+shop@"))).ShouldBeTrue();
        (await MayAsync(_alice, _bob.Address)).ShouldBeFalse();
        (await MayAsync(_alice, _bob.Address.Replace("@", "+shop@"))).ShouldBeFalse();
        (await MayAsync(_alice, _alice.Address.Replace("example.test", "example.com"))).ShouldBeFalse();
        (await MayAsync(_alice, "nobody@example.test")).ShouldBeFalse();
        (await MayAsync(_alice, "@")).ShouldBeFalse();
        (await MayAsync(_alice, new string('x', 5000) + "@example.test")).ShouldBeFalse();
    }

    [Fact]
    public async Task An_account_may_send_as_an_alias_that_leads_to_it_through_others_too()
    {
        var domains = new DomainService(_mail.Log, _mail.Directory);
        (await domains.AddAliasAsync("info@example.test", [_alice.Address], Actor.System, default)).Rejection.ShouldBeNull();
        (await domains.AddAliasAsync("all@example.test", ["info@example.test", _bob.Address], Actor.System, default)).Rejection.ShouldBeNull();

        (await MayAsync(_alice, "info@example.test")).ShouldBeTrue();
        (await MayAsync(_alice, "info+x@example.test")).ShouldBeTrue();
        (await MayAsync(_alice, "all@example.test")).ShouldBeTrue();
        (await MayAsync(_bob, "all@example.test")).ShouldBeTrue();
        (await MayAsync(_bob, "info@example.test")).ShouldBeFalse();

        (await domains.RemoveAliasAsync("info@example.test", Actor.System, default)).Rejection.ShouldBeNull();
        (await MayAsync(_alice, "info@example.test")).ShouldBeFalse();
    }

    [Fact]
    public async Task A_grant_holds_from_its_event_to_its_revocation()
    {
        await GrantAsync("Sales@Example.COM");
        (await MayAsync(_alice, "sales@example.com")).ShouldBeTrue();
        (await MayAsync(_alice, "sales+eu@example.com")).ShouldBeTrue();
        (await MayAsync(_alice, "other@example.com")).ShouldBeFalse();
        (await MayAsync(_bob, "sales@example.com")).ShouldBeFalse();
        (await _mail.Directory.GetAsync(_alice.Account, default))!.SendAs.ShouldBe(["sales@example.com"]);

        (await _mail.Accounts.RevokeSendAsAsync(_alice.Address, "sales@example.com", Actor.System, default)).Rejection.ShouldBeNull();
        (await MayAsync(_alice, "sales@example.com")).ShouldBeFalse();
        (await _mail.Accounts.RevokeSendAsAsync(_alice.Address, "sales@example.com", Actor.System, default)).Rejection.ShouldNotBeNull();
    }

    [Fact]
    public async Task A_grant_of_a_domain_covers_all_its_addresses_and_no_others()
    {
        await GrantAsync("@bücher.example");
        (await MayAsync(_alice, "anybody@xn--bcher-kva.example")).ShouldBeTrue();
        (await MayAsync(_alice, "anybody@bücher.example")).ShouldBeTrue();
        (await MayAsync(_alice, "anybody@sub.xn--bcher-kva.example")).ShouldBeFalse();
    }

    [Fact]
    public async Task What_is_neither_an_address_nor_a_domain_is_not_granted()
    {
        foreach (var rubbish in new[] { "", "@", "bob", "@-.example", "a b@example.com", "@[192.0.2.1]" })
            (await _mail.Accounts.GrantSendAsAsync(_alice.Address, rubbish, Actor.System, default)).Rejection.ShouldNotBeNull(rubbish);
    }

    [Fact]
    public async Task Saving_sent_mail_is_switched_on_and_off()
    {
        _alice.SaveSent.ShouldBeFalse();
        (await _mail.Accounts.SetSaveSentAsync(_alice.Address, true, Actor.System, default)).Value!.SaveSent.ShouldBeTrue();
        (await _mail.Accounts.SetSaveSentAsync(_alice.Address, false, Actor.System, default)).Value!.SaveSent.ShouldBeFalse();
    }

    private async Task GrantAsync(string sender) =>
        (await _mail.Accounts.GrantSendAsAsync(_alice.Address, sender, Actor.System, default)).Rejection.ShouldBeNull();

    private ValueTask<bool> MayAsync(AccountEntry account, string sender)
    {
        var at = sender.LastIndexOf('@');
        return new SenderRules(_mail.Directory).AllowAsync(account.Account, sender[..at], sender[(at + 1)..], default);
    }
}
