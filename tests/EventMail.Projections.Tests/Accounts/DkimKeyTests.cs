using EventMail.Domain.Accounts;
using EventMail.Projections.Accounts;
using Microsoft.Extensions.Logging.Abstractions;

namespace EventMail.Projections.Tests.Accounts;

public sealed class DkimKeyTests : IAsyncLifetime
{
    private static readonly byte[] Public = [1, 2, 3];
    private static readonly byte[] Private = [4, 5, 6, 7];

    private TestAccounts _accounts = null!;
    private DkimKeyService _keys = null!;

    public async Task InitializeAsync()
    {
        _accounts = await TestAccounts.OpenAsync();
        _keys = ServiceOf(_accounts.First, SecretKey.Open(_accounts.Folder));
        (await _accounts.Domains.AddDomainAsync("example.org", Actor.System, default)).Rejection.ShouldBeNull();
    }

    public async Task DisposeAsync() => await _accounts.DisposeAsync();

    [Fact]
    public async Task A_key_signs_from_its_activation_to_its_retirement()
    {
        await AddAsync("example.org", "one", "rsa");
        (await SigningAsync("example.org")).ShouldBeEmpty();

        (await _keys.ActivateAsync("Example.ORG", "ONE", Actor.System, default)).Rejection.ShouldBeNull();
        var secret = (await SigningAsync("example.org")).ShouldHaveSingleItem();
        (secret.Domain, secret.Selector, secret.Algorithm).ShouldBe(("example.org", "one", "rsa"));
        secret.PrivateKey.ShouldBe(Private);
        // What was made of it may be kept.
        (await SigningAsync("example.org"))[0].ShouldBeSameAs(secret);

        (await _keys.RetireAsync("example.org", "one", Actor.System, default)).Rejection.ShouldBeNull();
        (await SigningAsync("example.org")).ShouldBeEmpty();
        (await _keys.ActivateAsync("example.org", "one", Actor.System, default)).Rejection.ShouldBe(AccountRejections.DkimKeyRetired);
    }

    [Fact]
    public async Task A_selector_is_given_once_in_a_domain_even_when_the_domain_was_away()
    {
        await AddAsync("example.org", "one", "rsa");
        (await TryAddAsync("example.org", "One", "rsa")).ShouldBe(AccountRejections.DkimSelectorUsed);
        await _keys.RetireAsync("example.org", "one", Actor.System, default);
        (await TryAddAsync("example.org", "one", "rsa")).ShouldBe(AccountRejections.DkimSelectorUsed);

        (await _accounts.Domains.RemoveDomainAsync("example.org", Actor.System, default)).Rejection.ShouldBeNull();
        (await TryAddAsync("example.org", "two", "rsa")).ShouldBe(AccountRejections.DomainMissing);
        (await _accounts.Domains.AddDomainAsync("example.org", Actor.System, default)).Rejection.ShouldBeNull();
        (await TryAddAsync("example.org", "one", "rsa")).ShouldBe(AccountRejections.DkimSelectorUsed);
    }

    [Fact]
    public async Task A_removed_domain_is_signed_for_no_more()
    {
        await ActiveAsync("example.org", "one", "rsa");
        (await SigningAsync("example.org")).Count.ShouldBe(1);

        (await _accounts.Domains.RemoveDomainAsync("example.org", Actor.System, default)).Rejection.ShouldBeNull();
        (await SigningAsync("example.org")).ShouldBeEmpty();
        (await _accounts.Domains.AddDomainAsync("example.org", Actor.System, default)).Rejection.ShouldBeNull();
        (await SigningAsync("example.org")).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("")]
    [InlineData("a b")]
    [InlineData("-a")]
    [InlineData("a..b")]
    [InlineData("a_b")]
    [InlineData("a;p=")]
    [InlineData("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")]
    public async Task What_is_no_selector_is_refused(string selector) =>
        (await TryAddAsync("example.org", selector, "rsa")).ShouldBe(AccountRejections.DkimSelectorInvalid);

    [Fact]
    public async Task A_domain_has_at_most_ten_keys_that_are_not_retired()
    {
        for (var i = 0; i < AccountLimits.DkimKeys; i++)
            await AddAsync("example.org", $"k{i}", "rsa");
        (await TryAddAsync("example.org", "more", "rsa"))!.Kind.ShouldBe(EventMail.Domain.RejectionKind.Limit);

        await _keys.RetireAsync("example.org", "k0", Actor.System, default);
        await AddAsync("example.org", "more", "rsa");
    }

    [Fact]
    public async Task A_domain_without_a_key_is_signed_for_by_the_nearest_one_above_it_that_is_here()
    {
        await ActiveAsync("example.org", "one", "rsa");
        await ActiveAsync("example.org", "two", "ed25519");
        (await _accounts.Domains.AddDomainAsync("sales.example.org", Actor.System, default)).Rejection.ShouldBeNull();

        (await SigningAsync("eu.sales.example.org")).Select(key => (key.Domain, key.Algorithm)).ShouldBe([("example.org", "rsa"), ("example.org", "ed25519")]);
        (await SigningAsync("notexample.org")).ShouldBeEmpty();
        (await SigningAsync("org")).ShouldBeEmpty();

        await ActiveAsync("sales.example.org", "own", "rsa");
        (await SigningAsync("eu.sales.example.org")).Select(key => key.Domain).ShouldBe(["sales.example.org"]);
        (await SigningAsync("example.org")).Count.ShouldBe(2);
    }

    [Fact]
    public async Task Another_node_signs_with_a_key_at_once_and_stops_at_once()
    {
        var other = ServiceOf(await _accounts.AddNodeAsync(), SecretKey.Open(_accounts.Folder));
        (await other.SigningAsync("example.org", default)).ShouldBeEmpty();

        await ActiveAsync("example.org", "one", "rsa");
        await TestAccounts.EventuallyAsync(async () => (await other.SigningAsync("example.org", default)).Count == 1);
        await _keys.RetireAsync("example.org", "one", Actor.System, default);
        await TestAccounts.EventuallyAsync(async () => (await other.SigningAsync("example.org", default)).Count == 0);
    }

    [Fact]
    public async Task A_private_key_is_nowhere_in_the_log_and_of_no_use_with_another_secret_key()
    {
        await ActiveAsync("example.org", "one", "rsa");

        var added = (DkimKeyAdded)(await _accounts.EventsAsync("dkim_key_added")).ShouldHaveSingleItem().Data;
        added.PrivateKey.Ciphertext.ShouldNotBe(Private);
        (await ServiceOf(_accounts.First, new SecretKey(new byte[32])).SigningAsync("example.org", default)).ShouldBeEmpty();
    }

    private static DkimKeyService ServiceOf(TestAccounts.Node node, SecretKey secret) =>
        new(node.Log, node.Directory, secret, NullLogger.Instance);

    private ValueTask<IReadOnlyList<DkimSecret>> SigningAsync(string domain) => _keys.SigningAsync(domain, default);

    private async Task<EventMail.Domain.Rejection?> TryAddAsync(string domain, string selector, string algorithm) =>
        (await _keys.AddAsync(domain, selector, algorithm, Public, Private, Actor.System, default)).Rejection;

    private async Task AddAsync(string domain, string selector, string algorithm) => (await TryAddAsync(domain, selector, algorithm)).ShouldBeNull();

    private async Task ActiveAsync(string domain, string selector, string algorithm)
    {
        await AddAsync(domain, selector, algorithm);
        (await _keys.ActivateAsync(domain, selector, Actor.System, default)).Rejection.ShouldBeNull();
    }
}
