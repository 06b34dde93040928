using EventMail.Projections.Accounts;

namespace EventMail.Projections.Tests.Accounts;

/// <summary>Logins by proof (SCRAM, CRAM-MD5, APOP): what they tell of who exists, and how many of them are looked at.</summary>
public sealed class ProofTests
{
    private const string Joe = "joe@example.com";
    private const string Client = "198.51.100.9";

    [Theory]
    [InlineData(Joe)]
    [InlineData("nobody@example.com")]
    public async Task Of_fifty_wrong_proofs_at_once_only_those_up_to_the_limit_are_looked_at(string user)
    {
        await using var accounts = await OpenAsync();
        (await GuessAsync(accounts, user, 50)).ShouldBe(11);
    }

    [Fact]
    public async Task From_a_known_place_fifty_at_once_are_slowed_down_past_the_limit()
    {
        await using var accounts = await OpenAsync();
        (await accounts.LoginAsync(Joe, client: Client)).Status.ShouldBe(LoginStatus.Ok);
        // Eleven, and then one in five seconds of the thirty that an attempt may wait.
        (await GuessAsync(accounts, Joe, 50)).ShouldBeInRange(11, 18);
        (await accounts.LoginAsync(Joe, client: Client)).Status.ShouldNotBe(LoginStatus.BadCredentials);
    }

    [Fact]
    public async Task A_strangers_bare_name_has_the_salt_of_a_full_address_as_an_accounts_has()
    {
        await using var accounts = await OpenAsync();
        await accounts.AddAsync("ann@example.org");
        (await ScramAsync(accounts, "joe")).ShouldBe(await ScramAsync(accounts, Joe));

        var bare = await ScramAsync(accounts, "bob");
        string[] full = [await ScramAsync(accounts, "bob@example.com"), await ScramAsync(accounts, "Bob@example.org")];
        full.ShouldContain(bare);
        full.Distinct().Count().ShouldBe(2);
        (await ScramAsync(accounts, "BOB")).ShouldBe(bare);
    }

    [Fact]
    public async Task A_bare_name_that_two_accounts_share_has_the_salt_of_one_of_them()
    {
        await using var accounts = await OpenAsync();
        await accounts.AddAsync("joe@example.org");
        string[] full = [await ScramAsync(accounts, Joe), await ScramAsync(accounts, "joe@example.org")];
        full.ShouldContain(await ScramAsync(accounts, "joe"));
    }

    [Fact]
    public async Task Strangers_have_the_iterations_of_the_accounts_that_there_are()
    {
        await using var accounts = await OpenAsync();
        await accounts.RestartAsync(hashing: new() { Argon2 = TestAccounts.Cheap, ScramIterations = 8192 });
        (await ScramAsync(accounts, Joe)).ShouldEndWith(" 4096");
        (await ScramAsync(accounts, "bob@example.com")).ShouldEndWith(" 4096");
    }

    [Fact]
    public async Task What_another_node_changed_counts_at_once()
    {
        await using var accounts = await OpenAsync();
        var other = await accounts.AddNodeAsync();
        var old = TestAccounts.Password;
        for (var i = 0; i < 20; i++)
        {
            (await accounts.LoginAsync(Joe, old, node: other)).Status.ShouldBe(LoginStatus.Ok);
            var password = $"Password {i}";
            (await accounts.Accounts.SetPasswordAsync(Joe, password, Actor.System, default)).Rejection.ShouldBeNull();
            (await accounts.LoginAsync(Joe, old, "203.0.113.4", other)).Status.ShouldBe(LoginStatus.BadCredentials);
            await TestAccounts.EventuallyAsync(async () =>
                (await other.Directory.StateAsync((await other.Directory.FindAsync(Joe, default))!.Account, default)).CredentialVersion
                == (await accounts.Directory.StateAsync((await accounts.Directory.FindAsync(Joe, default))!.Account, default)).CredentialVersion);
            accounts.Time.Advance(TimeSpan.FromHours(1));
            old = password;
        }

        (await accounts.Accounts.SuspendAsync(Joe, null, Actor.System, default)).Rejection.ShouldBeNull();
        (await accounts.LoginAsync(Joe, old, node: other)).Status.ShouldBe(LoginStatus.Suspended);
    }

    private static async Task<TestAccounts> OpenAsync()
    {
        var accounts = await TestAccounts.OpenAsync();
        await accounts.AddAsync(Joe);
        return accounts;
    }

    // How many of them were looked at.
    private static async Task<int> GuessAsync(TestAccounts accounts, string user, int times)
    {
        var checks = 0;
        await Task.WhenAll(Enumerable.Range(0, times).Select(async _ =>
        {
            var attempt = await accounts.Authenticator.BeginAsync(user, TestAccounts.From(Client, "SCRAM-SHA-256"), default);
            await accounts.Authenticator.FinishAsync(
                attempt,
                _ =>
                {
                    Interlocked.Increment(ref checks);
                    return false;
                },
                default);
        }));
        return checks;
    }

    private static async Task<string> ScramAsync(TestAccounts accounts, string user)
    {
        var keys = (await accounts.Authenticator.BeginAsync(user, TestAccounts.From(), default)).Scram;
        return $"{Convert.ToHexString(keys.Salt)} {keys.Iterations}";
    }
}
