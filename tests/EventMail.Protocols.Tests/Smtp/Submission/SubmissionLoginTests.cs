using System.Text;
using EventMail.Projections;
using EventMail.Projections.Accounts;
using EventMail.Protocols.Sasl;
using EventMail.Protocols.Smtp;
using EventMail.Protocols.Wire;
using EventMail.Testing;
using EventMail.Testing.Transcripts;
using Microsoft.Extensions.Logging;

namespace EventMail.Protocols.Tests.Smtp.Submission;

/// <summary>AUTH beyond its dialogue: tokens, refusals of each kind, limits, what is logged and what is not.</summary>
public sealed class SubmissionLoginTests(SubmissionFixture fixture) : IClassFixture<SubmissionFixture>, IDisposable
{
    private readonly string _keys = Path.GetTempFileName();

    [Theory]
    [InlineData("OAUTHBEARER", "n,a={user},\u0001auth=Bearer {token}\u0001\u0001")]
    [InlineData("XOAUTH2", "user={user}\u0001auth=Bearer {token}\u0001\u0001")]
    public async Task A_token_may_stand_in_the_initial_response_however_long(string mechanism, string message)
    {
        var account = await fixture.Mail.NewAccountAsync();
        await using var client = await GreetAsync(With(OAuth()));
        var padded = TestIssuer.Claims(account.Address, more: [("padding", new string('x', 5000))]);
        var words = message.Replace("{user}", account.Address).Replace("{token}", TestIssuer.Token("RS256", "r1", padded));
        (await client.AskAsync($"AUTH {mechanism} {TestIssuer.Base64(words)}")).ShouldBe("235 2.7.0 Authentication successful");
        (await client.AskAsync($"MAIL FROM:<{account.Address}>"))!.ShouldStartWith("250 ");
    }

    [Fact]
    public async Task An_expired_token_hears_why_and_535() // RFC 7628 §3.2.2
    {
        var account = await fixture.Mail.NewAccountAsync();
        await using var client = await GreetAsync(With(OAuth()));
        var expired = TestIssuer.Token("RS256", "r1", TestIssuer.Claims(account.Address, expires: -120));
        var challenge = (await client.AskAsync($"AUTH OAUTHBEARER {TestIssuer.Base64($"n,,\u0001auth=Bearer {expired}\u0001\u0001")}"))!;
        challenge.ShouldStartWith("334 ");
        Encoding.UTF8.GetString(Convert.FromBase64String(challenge[4..])).ShouldStartWith("""{"status":"invalid_token",""");
        (await client.AskAsync("AQ==")).ShouldBe("535 5.7.8 Authentication credentials invalid");
    }

    [Fact]
    public async Task A_response_of_MaxResponseLine_is_taken_and_a_longer_one_is_500_and_the_session_goes_on() // RFC 4954 §4
    {
        await using var client = await GreetAsync(fixture.Services);
        await client.AskAsync("AUTH PLAIN");
        (await client.AskAsync(new string('A', SaslFraming.MaxResponseLine)))!.ShouldStartWith("5");
        await client.AskAsync("AUTH PLAIN");
        (await client.AskAsync(new string('A', SaslFraming.MaxResponseLine + 1))).ShouldBe("500 5.5.6 Authentication exchange line too long");
        (await client.AskAsync("NOOP")).ShouldBe("250 2.0.0 Ok");
    }

    [Fact]
    public async Task The_right_password_of_a_suspended_account_is_525_and_a_wrong_one_535()
    {
        var account = await fixture.Mail.NewAccountAsync();
        (await fixture.Mail.Accounts.SuspendAsync(account.Address, null, Actor.System, default)).Rejection.ShouldBeNull();
        await using var client = await GreetAsync(fixture.Services);
        (await client.AskAsync(Plain(account, TestMail.Password))).ShouldBe("525 5.7.13 User account disabled");
        (await client.AskAsync(Plain(account, "wrong"))).ShouldBe("535 5.7.8 Authentication credentials invalid");
        (await client.AskAsync("AUTH PLAIN " + TestIssuer.Base64($"somebody\0{account.Address}\0{TestMail.Password}")))!.ShouldStartWith("5");
    }

    [Fact]
    public async Task An_account_that_is_suspended_in_the_middle_of_a_session_begins_no_message()
    {
        var account = await fixture.Mail.NewAccountAsync();
        await using var client = await fixture.LogInAsync(account);
        (await fixture.Mail.Accounts.SuspendAsync(account.Address, null, Actor.System, default)).Rejection.ShouldBeNull();
        (await client.AskAsync($"MAIL FROM:<{account.Address}>")).ShouldBe("550 5.7.13 User account disabled");
    }

    [Fact]
    public async Task An_account_that_is_suspended_in_the_middle_of_a_message_has_not_sent_it()
    {
        var account = await fixture.Mail.NewAccountAsync();
        await using var client = await fixture.LogInAsync(account);
        (await client.AskAsync($"MAIL FROM:<{account.Address}>"))!.ShouldStartWith("250 ");
        (await client.AskAsync("RCPT TO:<a@example.com>"))!.ShouldStartWith("250 ");
        (await client.AskAsync("DATA"))!.ShouldStartWith("354 ");
        (await fixture.Mail.Accounts.SuspendAsync(account.Address, null, Actor.System, default)).Rejection.ShouldBeNull();
        (await client.AskAsync($"From: {account.Address}\r\n\r\nx\r\n.")).ShouldBe("550 5.7.13 User account disabled");
        (await fixture.SubmittedAsync()).ShouldNotContain(submitted => submitted.Message.Sender == account.Address);
    }

    [Fact]
    public async Task A_session_ends_when_the_password_that_it_was_opened_with_counts_no_more()
    {
        var account = await fixture.Mail.NewAccountAsync();
        var issued = (await fixture.Mail.Accounts.IssueAppPasswordAsync(account.Address, "laptop", Actor.System, default)).Value!;
        await using var client = await GreetAsync(fixture.Services);
        (await client.AskAsync(Plain(account, issued))).ShouldBe("235 2.7.0 Authentication successful");
        (await client.AskAsync($"MAIL FROM:<{account.Address}>"))!.ShouldStartWith("250 ");
        (await client.AskAsync("RSET"))!.ShouldStartWith("250 ");
        (await fixture.Mail.Accounts.RevokeAppPasswordAsync(account.Address, "laptop", Actor.System, default)).Rejection.ShouldBeNull();
        (await client.AskAsync($"MAIL FROM:<{account.Address}>")).ShouldBe("421 4.7.0 The account's password has changed: log in again");
        (await client.ReadLineAsync()).ShouldBeNull();
    }

    [Fact]
    public async Task Who_guesses_too_often_is_locked_out_with_454()
    {
        var account = await fixture.Mail.NewAccountAsync();
        var services = With(new()
        {
            Throttle = new() { AddressFailures = 2, FreeFailures = 10 },
        });
        await using var client = await GreetAsync(services);
        for (var i = 0; i < 3; i++)
            await client.AskAsync(Plain(account, "wrong"));
        (await client.AskAsync(Plain(account, TestMail.Password))).ShouldBe("454 4.7.0 Temporary authentication failure");
    }

    [Fact]
    public async Task AUTH_after_STARTTLS_is_asked_for_again() // RFC 3207 §4.2
    {
        var account = await fixture.Mail.NewAccountAsync();
        await using var client = await fixture.LogInAsync(account);
        (await client.AskAsync("STARTTLS"))!.ShouldStartWith("220 ");
        await client.StartTlsAsync();
        await SubmissionFixture.EhloAsync(client);
        (await client.AskAsync($"MAIL FROM:<{account.Address}>")).ShouldBe("530 5.7.0 Authentication required");
    }

    [Fact]
    public async Task No_trace_of_a_session_has_a_secret()
    {
        var account = await fixture.Mail.NewAccountAsync();
        var log = new FieldLogger();
        var traces = new WireTraces(log);
        traces.Start(new());
        await using var client = fixture.Open(traces: traces);
        await client.ReadLineAsync();
        await SubmissionFixture.EhloAsync(client);
        var secret = TestIssuer.Base64($"\0{account.Address}\0{TestMail.Password}");
        await client.AskAsync($"AUTH PLAIN {secret[..^4]}!!!!");
        await client.AskAsync("AUTH LOGIN");
        await client.AskAsync(TestIssuer.Base64(account.Address));
        await client.AskAsync(TestIssuer.Base64(TestMail.Password));
        var all = string.Join('\n', log.Entries.Select(entry => entry.Message));
        all.ShouldContain("AUTH LOGIN");
        all.ShouldContain("235 2.7.0");
        all.ShouldNotContain(secret[..20]);
        all.ShouldNotContain(TestIssuer.Base64(TestMail.Password));
    }

    [Fact]
    public async Task Nor_has_one_of_a_client_that_does_not_wait_for_its_refusal()
    {
        var log = new FieldLogger();
        var traces = new WireTraces(log);
        traces.Start(new());
        await using var client = fixture.Open("remote", traces: traces);
        await client.ReadLineAsync();
        await SubmissionFixture.EhloAsync(client);
        var (user, password) = (TestIssuer.Base64("alice@example.test"), TestIssuer.Base64(TestMail.Password));
        await client.SendAsync(System.Text.Encoding.ASCII.GetBytes($"AUTH LOGIN\r\n{user}\r\n{password}\r\nAUTH NONSENSE\r\n{password}\r\nQUIT\r\n"));
        while (await client.ReadLineAsync() is not null)
        {
        }

        var all = string.Join('\n', log.Entries.Select(entry => entry.Message));
        all.ShouldContain("C: QUIT");
        all.ShouldNotContain(user);
        all.ShouldNotContain(password);
    }

    [Fact]
    public async Task S001_A_login_and_a_failed_one_are_logged_under_the_documented_names()
    {
        var account = await fixture.Mail.NewAccountAsync();
        var log = new FieldLogger();
        await using var client = await GreetAsync(With(new() { Throttle = new() { Enabled = false } }, log));
        await client.AskAsync(Plain(account, "wrong"));
        await client.AskAsync(Plain(account, TestMail.Password));
        var failed = log.Entries.Single(entry => entry.Message.StartsWith("SMTP authentication failed", StringComparison.Ordinal));
        failed.Level.ShouldBe(LogLevel.Warning);
        failed.Fields["errorCode"].ShouldBe(535);
        var succeeded = log.Entries.Single(entry => entry.Message.StartsWith("SMTP authentication successful", StringComparison.Ordinal));
        succeeded.Level.ShouldBe(LogLevel.Information);
        (succeeded.Fields["username"], succeeded.Fields["authMethod"]).ShouldBe((account.Address, "PLAIN"));
        foreach (var name in new[] { "connectionId", "sessionId", "clientIp" })
            succeeded.Fields.Keys.ShouldContain(name);
    }

    public void Dispose() => File.Delete(_keys);

    private AuthenticatorOptions OAuth()
    {
        File.WriteAllText(_keys, TestIssuer.Jwks());
        return new()
        {
            OAuth = new() { Issuer = TestIssuer.Issuer, Audience = "mail-server", Keys = _keys, Scope = "mail" },
            Throttle = new() { Enabled = false },
        };
    }

    private SmtpServices With(AuthenticatorOptions options, ILogger? log = null) =>
        fixture.NewServices(authenticator: fixture.Mail.NewAuthenticator(options), log: log);

    private async Task<ScriptedClient> GreetAsync(SmtpServices services)
    {
        var client = fixture.Open(services: services);
        await client.ExpectMatchAsync("220 .*");
        await SubmissionFixture.EhloAsync(client);
        return client;
    }

    private static string Plain(AccountEntry account, string password) => "AUTH PLAIN " + TestIssuer.Base64($"\0{account.Address}\0{password}");
}
