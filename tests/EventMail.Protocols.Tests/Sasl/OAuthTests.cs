using System.Net;
using System.Security.Cryptography;
using System.Text;
using EventMail.Projections.Accounts;
using EventMail.Protocols.Imap;
using EventMail.Protocols.Sasl;
using EventMail.Protocols.Tests.Imap;
using EventMail.Testing;
using EventMail.Testing.Transcripts;
using FsCheck;
using FsCheck.Fluent;
using Microsoft.Extensions.Logging.Abstractions;
using static EventMail.Testing.TestIssuer;

namespace EventMail.Protocols.Tests.Sasl;

/// <summary>OAUTHBEARER (RFC 7628) and XOAUTH2 through a real session, against a real account, with an issuer of our own.</summary>
public sealed class OAuthTests(ImapFixture fixture) : IClassFixture<ImapFixture>, IDisposable
{
    private readonly string _keys = Path.GetTempFileName();

    [Theory]
    [InlineData("RS256", "r1")]
    [InlineData("PS256", "r1")]
    [InlineData("ES256", "e1")]
    public async Task A_good_token_logs_in_by_either_mechanism_and_the_event_names_it(string algorithm, string key)
    {
        var account = await fixture.NewAccountAsync();
        var token = Token(algorithm, key, Claims(account.Address));
        (await LogInAsync("OAUTHBEARER", $"n,a={account.Address},\u0001host=imap.example.test\u0001port=143\u0001auth=Bearer {token}\u0001\u0001"))
            .ShouldStartWith("a OK [CAPABILITY ");
        (await LogInAsync("OAUTHBEARER", $"n,,\u0001auth=bearer {token}\u0001\u0001")).ShouldStartWith("a OK");
        (await LogInAsync("XOAUTH2", $"user={account.Address}\u0001auth=Bearer {token}\u0001\u0001")).ShouldStartWith("a OK");
        var mechanisms = new List<string>();
        await foreach (var e in fixture.Mail.Log.Reader.ReadHistoryAsync(new() { Types = ["login_succeeded"] }))
        {
            if (e.Stream.Tenant == account.Account)
            {
                mechanisms.Add(((Domain.Accounts.LoginSucceeded)e.Data).Mechanism);
            }
        }

        mechanisms.ShouldBe(["OAUTHBEARER", "OAUTHBEARER", "XOAUTH2"]);
    }

    [Fact]
    public async Task A_bad_token_hears_why_answers_and_is_refused() // §3.2.2, §3.2.3
    {
        var account = await fixture.NewAccountAsync();
        var client = await OpenAsync(Services());
        await client.SendLineAsync($"a AUTHENTICATE OAUTHBEARER {Base64($"n,,\u0001auth=Bearer {Token("RS256", "r1", Claims(account.Address, expires: -120))}\u0001\u0001")}");
        var challenge = (await client.ReadLineAsync())!;
        Encoding.UTF8.GetString(Convert.FromBase64String(challenge[2..])).ShouldBe(
            """{"status":"invalid_token","scope":"mail","openid-configuration":"https://issuer.example.test/.well-known/openid-configuration"}""");
        await client.SendLineAsync("AQ==");
        (await client.ReadLineAsync()).ShouldBe("a NO [EXPIRED] The token has expired");

        await client.SendLineAsync($"b AUTHENTICATE XOAUTH2 {Base64($"user={account.Address}\u0001auth=Bearer x.y.z\u0001\u0001")}");
        challenge = (await client.ReadLineAsync())!;
        Encoding.UTF8.GetString(Convert.FromBase64String(challenge[2..])).ShouldBe("""{"status":"401","schemes":"bearer","scope":"mail"}""");
        await client.SendLineAsync("");
        (await client.ReadLineAsync()).ShouldBe("b NO [AUTHENTICATIONFAILED] Invalid credentials");

        // A client that asks what it needs has tried nothing (§4.3).
        await client.SendLineAsync($"c AUTHENTICATE OAUTHBEARER {Base64("n,,\u0001auth=\u0001\u0001")}");
        (await client.ReadLineAsync())!.ShouldStartWith("+ ");
        await client.SendLineAsync("*");
        (await client.ReadLineAsync()).ShouldBe("c BAD Authentication cancelled");
        await client.SendLineAsync($"d AUTHENTICATE OAUTHBEARER {Base64("p=tls-exporter,,\u0001auth=\u0001\u0001")}");
        (await client.ReadLineAsync()).ShouldBe("d BAD Malformed response");
    }

    public static TheoryData<string> Bad =>
        ["issuer", "audience", "expired", "early", "no expiry", "scope", "no address", "unverified", "unverified in words", "other key", "unknown key", "none", "hmac", "altered", "not self"];

    [Theory]
    [MemberData(nameof(Bad))]
    public async Task No_token_but_a_good_one_logs_in(string what)
    {
        var account = await fixture.NewAccountAsync();
        var address = account.Address;
        var token = what switch
        {
            "issuer" => Token("RS256", "r1", Claims(address, issuer: Issuer + "/")),
            "audience" => Token("RS256", "r1", Claims(address, audience: "other")),
            "expired" => Token("RS256", "r1", Claims(address, expires: -61)),
            "early" => Token("RS256", "r1", Claims(address, notBefore: 120)),
            "no expiry" => Token("RS256", "r1", Claims(address, expires: null)),
            "scope" => Token("RS256", "r1", Claims(address, scope: "other mails")),
            "no address" => Token("RS256", "r1", Claims(null)),
            "unverified" => Token("RS256", "r1", Claims(address, verified: false)),
            "unverified in words" => Token("RS256", "r1", Claims(address, verified: "false")),
            "other key" => Token("RS256", "r1", Claims(address), RSA.Create(2048)),
            "unknown key" => Token("RS256", "r2", Claims(address), RSA.Create(2048)),
            "none" => $"{Url("""{"alg":"none"}""")}.{Url(Claims(address))}.",
            "hmac" => Token("HS256", "r1", Claims(address)),
            "altered" => Altered(Token("RS256", "r1", Claims("other@example.test")), Claims(address)),
            _ => Token("RS256", "r1", Claims("other@example.test")),
        };
        (await LogInAsync("OAUTHBEARER", $"n,a={address},\u0001auth=Bearer {token}\u0001\u0001"))
            .ShouldStartWith($"a NO [{(what == "expired" ? "EXPIRED" : "AUTHENTICATIONFAILED")}]");
        var verdict = await new TokenVerifier(Options(), NullLogger.Instance, TimeProvider.System).VerifyAsync(token, default);
        verdict.Error.ShouldBe(what switch { "scope" => "insufficient_scope", "not self" => null, _ => "invalid_token" });
    }

    [Theory]
    [InlineData("true", 300)]
    [InlineData(true, 999_999_999_999)] // beyond the calendar's end
    public async Task What_issuers_write_in_other_ways_is_understood(object verified, long expires)
    {
        var claims = Claims("a@example.test", verified: verified, expires: expires);
        (await new TokenVerifier(Options(), NullLogger.Instance, TimeProvider.System).VerifyAsync(Token("RS256", "r1", claims), default))
            .ShouldBe(new(null, "a@example.test"));
    }

    // RFC 9068 §4. All of them are signed by the issuer, for this server, and good in every other way.
    [Theory]
    [InlineData("\"typ\":\"at+jwt\",", null, true, true)]
    [InlineData("\"typ\":\"AT+JWT\",", null, true, true)]
    [InlineData("\"typ\":\"application/at+jwt\",", "nonce", true, true)]
    [InlineData("\"typ\":\"JWT\",", null, false, true)]
    [InlineData("\"typ\":\"application/jwt\",", null, false, true)]
    [InlineData("", null, false, true)]
    [InlineData("\"typ\":\"JWT\",", "typ:Bearer", false, true)]
    [InlineData("\"typ\":\"JWT\",", "typ:ID", false, false)]
    [InlineData("\"typ\":\"JWT\",", "typ:Refresh", false, false)]
    [InlineData("\"typ\":\"JWT\",", "nonce", false, false)]
    [InlineData("", "at_hash", false, false)]
    [InlineData("\"typ\":\"JWT\",", "c_hash", false, false)]
    [InlineData("\"typ\":\"logout+jwt\",", null, false, false)]
    [InlineData("\"typ\":\"dpop+jwt\",", null, false, false)]
    [InlineData("\"typ\":\"at+jwt\",\"crit\":[\"x\"],\"x\":1,", null, false, false)] // RFC 7515 §4.1.11
    public async Task An_ID_token_does_not_pass_for_an_access_token(string header, string? claim, bool good, bool goodWhereUnmarkedAre)
    {
        (string, object)[] more = claim is null ? [] : [claim.Split(':') is [var name, var value] ? (name, value) : (claim, "n-0S6_WzA2Mj")];
        var token = Token("RS256", "r1", Claims("a@example.test", more: more), header: header);
        foreach (var (options, expected) in new[] { (Options(), good), (Options() with { AcceptUnmarked = true }, goodWhereUnmarkedAre) })
        {
            (await new TokenVerifier(options, NullLogger.Instance, TimeProvider.System).VerifyAsync(token, default))
                .ShouldBe(expected ? new(null, "a@example.test") : new("invalid_token", null));
        }
    }

    [Theory]
    [InlineData("OAUTHBEARER", "n,a={0},\u0001auth=Bearer {1}\u0001\u0001")]
    [InlineData("XOAUTH2", "user={0}\u0001auth=Bearer {1}\u0001\u0001")]
    public async Task A_good_token_does_not_open_another_ones_account(string mechanism, string message)
    {
        var (account, other) = (await fixture.NewAccountAsync(), await fixture.NewAccountAsync());
        var token = Token("RS256", "r1", Claims(account.Address));
        (await LogInAsync(mechanism, string.Format(null, message, other.Address, token))).ShouldStartWith("a NO [AUTHORIZATIONFAILED]");
    }

    [Fact]
    public async Task A_suspended_account_stays_outside()
    {
        var account = await fixture.NewAccountAsync();
        await fixture.Mail.Accounts.SuspendAsync(account.Address, null, Projections.Actor.System, default);
        (await LogInAsync("OAUTHBEARER", $"n,,\u0001auth=Bearer {Token("RS256", "r1", Claims(account.Address))}\u0001\u0001"))
            .ShouldStartWith("a NO [CONTACTADMIN]");
    }

    [Fact]
    public async Task Keys_that_are_not_to_be_had_are_no_fault_of_the_clients()
    {
        var account = await fixture.NewAccountAsync();
        var services = Services(Options() with { Keys = _keys + ".none" });
        (await LogInAsync("OAUTHBEARER", $"n,,\u0001auth=Bearer {Token("RS256", "r1", Claims(account.Address))}\u0001\u0001", services))
            .ShouldStartWith("a NO [UNAVAILABLE]");
    }

    [Fact]
    public async Task New_keys_are_read_when_a_token_names_one_but_not_at_every_token()
    {
        var time = new Clock();
        using var server = new KeyServer(Jwks());
        var verifier = new TokenVerifier(Options() with { Keys = server.Url }, NullLogger.Instance, time);
        (await verifier.VerifyAsync(Token("RS256", "r1", Claims("a@example.test")), default)).Error.ShouldBeNull();
        (await verifier.VerifyAsync(Token("ES256", "e1", Claims("a@example.test")), default)).Error.ShouldBeNull();
        server.Asked.ShouldBe(1);

        using var young = RSA.Create(2048);
        var token = Token("RS256", "r2", Claims("a@example.test"), young);
        server.Body = Jwks(("r2", young));
        (await verifier.VerifyAsync(token, default)).Error.ShouldBe("invalid_token");
        server.Asked.ShouldBe(1);
        time.Now += TimeSpan.FromSeconds(61);
        (await verifier.VerifyAsync(token, default)).Error.ShouldBeNull();
        server.Asked.ShouldBe(2);

        // What cannot be read again is good for a while, what is too large is not read.
        server.Body = new string(' ', 300 * 1024) + Jwks();
        time.Now += TimeSpan.FromHours(2);
        token = Token("RS256", "r2", Claims("a@example.test", now: time.Now), young);
        (await verifier.VerifyAsync(token, default)).Error.ShouldBeNull();
        server.Asked.ShouldBe(3);
        time.Now += TimeSpan.FromHours(25);
        (await verifier.VerifyAsync(Token("RS256", "r2", Claims("a@example.test", now: time.Now), young), default)).Error
            .ShouldBe("temporarily_unavailable");
    }

    [Theory]
    [InlineData("http://keys.example.test/jwks")]
    [InlineData("ftp://127.0.0.1/jwks")]
    public void Keys_come_by_https_or_from_this_machine(string url) => Should.Throw<ArgumentException>(
        () => new TokenVerifier(Options() with { Keys = url }, NullLogger.Instance, TimeProvider.System));

    [Fact]
    public async Task Without_an_issuer_neither_mechanism_is_there()
    {
        var client = new ScriptedClient(fixture.Open().Client);
        (await client.ReadLineAsync())!.ShouldNotContain("OAUTH");
        (await client.AskAsync("a AUTHENTICATE OAUTHBEARER AQ==")).ShouldBe("a NO [CANNOT] Mechanism not available");
    }

    [Fact]
    public void No_octets_break_the_message() => Check.One(
        Config.QuickThrowOnFailure.WithMaxTest(1000),
        Prop.ForAll<byte[], byte[]>((first, second) =>
        {
            byte[] message = [.. "n,,"u8, 1, .. first, 1, .. "auth=Bearer "u8, .. second, 1, 1];
            OAuthMessage.TryRead(message, false, out _, out _);
            OAuthMessage.TryRead([.. "user="u8, .. message], true, out _, out _);
            OAuthMessage.TryRead(first, false, out _, out _);
        }));

    public void Dispose() => File.Delete(_keys);

    private OAuthOptions Options()
    {
        File.WriteAllText(_keys, Jwks());
        return new() { Issuer = Issuer, Audience = "mail-server", Keys = _keys, Scope = "mail" };
    }

    private ImapServices Services(OAuthOptions? options = null) => new()
    {
        Mailboxes = fixture.Mail.Mailboxes,
        Metadata = fixture.Mail.Metadata,
        Directory = fixture.Mail.Directory,
        Accounts = fixture.Mail.Accounts,
        Summaries = fixture.Mail.Summaries,
        Contents = fixture.Mail.Log.Contents,
        Authenticator = fixture.Mail.NewAuthenticator(new() { OAuth = options ?? Options(), Throttle = new() { Enabled = false } }),
        Log = NullLogger.Instance,
    };

    private async Task<ScriptedClient> OpenAsync(ImapServices services)
    {
        var client = new ScriptedClient(fixture.Open(services: services).Client);
        (await client.ReadLineAsync())!.ShouldContain("AUTH=OAUTHBEARER AUTH=XOAUTH2");
        return client;
    }

    private async Task<string> LogInAsync(string mechanism, string message, ImapServices? services = null)
    {
        var client = await OpenAsync(services ?? Services());
        var answer = (await client.AskAsync($"a AUTHENTICATE {mechanism} {Base64(message)}"))!;
        return answer.StartsWith("+ ", StringComparison.Ordinal) ? (await client.AskAsync("AQ=="))! : answer;
    }

    private sealed class Clock : TimeProvider
    {
        public DateTimeOffset Now { get; set; } = DateTimeOffset.UtcNow;

        public override DateTimeOffset GetUtcNow() => Now;
    }

    /// <summary>An HTTP server with one page.</summary>
    private sealed class KeyServer : IDisposable
    {
        private readonly HttpListener _listener = new();

        public KeyServer(string body)
        {
            Body = body;
            Url = $"http://127.0.0.1:{TestPort.Free()}/jwks/";
            _listener.Prefixes.Add(Url);
            _listener.Start();
            _ = ServeAsync();
        }

        public string Url { get; }

        public string Body { get; set; }

        public int Asked { get; private set; }

        private async Task ServeAsync()
        {
            while (_listener.IsListening)
            {
                HttpListenerContext context;
                try
                {
                    context = await _listener.GetContextAsync();
                }
                catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
                {
                    return;
                }

                Asked++;
                try
                {
                    context.Response.Close(Encoding.UTF8.GetBytes(Body), willBlock: false);
                }
                catch (HttpListenerException)
                {
                    // The client has read enough.
                }
            }
        }

        public void Dispose() => _listener.Close();
    }
}
