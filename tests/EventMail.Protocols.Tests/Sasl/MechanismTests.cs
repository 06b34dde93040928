using System.Net;
using System.Security.Cryptography;
using System.Text;
using EventMail.Projections;
using EventMail.Projections.Accounts;
using EventMail.Protocols.Sasl;
using EventMail.Protocols.Tests.Imap;
using EventMail.Protocols.Wire;
using EventMail.Testing;
using EventMail.Testing.Transcripts;
using FsCheck;
using FsCheck.Fluent;

namespace EventMail.Protocols.Tests.Sasl;

/// <summary>PLAIN, LOGIN and CRAM-MD5 step by step, and which mechanisms are offered, against real accounts.</summary>
public sealed class MechanismTests(ImapFixture fixture) : IClassFixture<ImapFixture>
{
    private static readonly LoginContext Context = new(IPAddress.Loopback, "imap", "session-1", "", false);

    [Theory]
    [InlineData("\0{user}\0{pass}")]
    [InlineData("{user}\0{user}\0{pass}")]
    public async Task PLAIN_takes_name_and_password_and_acts_for_nobody_else(string message) =>
        (await PlainAsync(message)).Result.Status.ShouldBe(LoginStatus.Ok);

    [Theory]
    [InlineData("other@example.test\0{user}\0wrong")]
    [InlineData("\0{user}\0wrong")]
    [InlineData("\0{user}\0{pass} ")]
    [InlineData("\0nobody@example.test\0{pass}")]
    public async Task PLAIN_refuses_wrong_words_alike(string message)
    {
        var step = await PlainAsync(message);
        step.State.ShouldBe(SaslState.Done);
        step.Result.Status.ShouldBe(LoginStatus.BadCredentials);
        step.Result.Text.ShouldBe("Invalid credentials");
    }

    [Fact]
    public async Task PLAIN_tells_only_who_knows_the_password_that_they_may_not_act_as_somebody_else() =>
        (await PlainAsync("other@example.test\0{user}\0{pass}")).Result.Status.ShouldBe(LoginStatus.NotAuthorized);

    [Theory]
    [InlineData("")]
    [InlineData("{user}")]
    [InlineData("{user}\0{pass}")]
    [InlineData("\0\0{pass}")]
    [InlineData("\0{user}\0")]
    [InlineData("\0{user}\0{pass}\0")]
    [InlineData("\0{user}\0{pass}\0more")]
    [InlineData("\0us\u00FFer\0{pass}", true)]
    public async Task PLAIN_is_read_by_its_grammar(string message, bool latin1 = false) // RFC 4616 §2
    {
        (await PlainAsync(message, latin1)).State.ShouldBe(SaslState.Malformed);
    }

    [Fact]
    public async Task LOGIN_asks_for_name_and_password_in_the_words_that_clients_know()
    {
        var account = await fixture.NewAccountAsync();
        var exchange = Start("LOGIN");
        Ask(await exchange.StepAsync(null, default)).ShouldBe("Username:");
        Ask(await StepAsync(exchange, account.Address)).ShouldBe("Password:");
        (await StepAsync(exchange, TestMail.Password)).Result.Status.ShouldBe(LoginStatus.Ok);

        // The name may come with the command.
        exchange = Start("LOGIN");
        Ask(await StepAsync(exchange, account.Address)).ShouldBe("Password:");
        (await StepAsync(exchange, "wrong")).Result.Status.ShouldBe(LoginStatus.BadCredentials);

        (await StepAsync(Start("LOGIN"), "")).State.ShouldBe(SaslState.Malformed);
    }

    [Fact]
    public async Task CRAM_MD5_works_for_accounts_that_opted_in_and_is_offered_while_there_is_one()
    {
        var other = await fixture.NewAccountAsync();
        var account = await fixture.NewAccountAsync();
        Offered().ShouldNotContain("CRAM-MD5");
        SaslServer.Start("CRAM-MD5", Connection(), fixture.Mail.Authenticator, Context).ShouldBeNull();
        (await fixture.Mail.Accounts.EnableRecoverableAsync(account.Address, TestMail.Password, Actor.System, default)).IsOk.ShouldBeTrue();
        try
        {
            Offered().ShouldContain("CRAM-MD5");
            (await CramAsync(account.Address, TestMail.Password)).Result.Status.ShouldBe(LoginStatus.Ok);
            (await CramAsync(account.Address, "wrong")).Result.Status.ShouldBe(LoginStatus.BadCredentials);
            (await CramAsync(other.Address, TestMail.Password)).Result.Status.ShouldBe(LoginStatus.BadCredentials);
            (await CramAsync("nobody@example.test", "")).Result.Status.ShouldBe(LoginStatus.BadCredentials);

            var exchange = Start("CRAM-MD5");
            (await StepAsync(exchange, "no initial response")).State.ShouldBe(SaslState.Malformed);
            foreach (var answer in (string[])["", "user", " " + new string('0', 32), $"{account.Address} {new string('0', 31)}"])
            {
                exchange = Start("CRAM-MD5");
                Ask(await exchange.StepAsync(null, default)).ShouldMatch(@"^<[0-9a-f]{24}\.\d+@[^<>@]+>$");
                (await StepAsync(exchange, answer)).State.ShouldBe(SaslState.Malformed, answer);
            }
        }
        finally
        {
            await fixture.Mail.Accounts.DisableRecoverableAsync(account.Address, Actor.System, default);
        }

        Offered().ShouldNotContain("CRAM-MD5");
    }

    [Fact]
    public void Mechanisms_are_offered_strongest_first_under_any_case_and_only_where_passwords_may_cross()
    {
        Offered().ShouldBe(["SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN", "LOGIN"]);
        SaslServer.Start("plain", Connection(), fixture.Mail.Authenticator, Context)!.Mechanism.ShouldBe("PLAIN");
        SaslServer.Start("SCRAM-SHA-256-PLUS", Connection(), fixture.Mail.Authenticator, Context).ShouldBeNull();
        SaslServer.Start("SCRAM-SHA-512", Connection(), fixture.Mail.Authenticator, Context).ShouldBeNull();

        SaslServer.Offered(Connection(plaintext: false), fixture.Mail.Authenticator).ShouldBeEmpty();
        SaslServer.Start("PLAIN", Connection(plaintext: false), fixture.Mail.Authenticator, Context).ShouldBeNull();
        // Allowed on loopback: not for who comes from elsewhere.
        SaslServer.Offered(Connection(client: "192.0.2.1"), fixture.Mail.Authenticator).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_password_is_the_same_however_its_characters_are_typed() // RFC 4616 §2, RFC 5802 §3
    {
        var account = await fixture.NewAccountAsync();
        (await fixture.Mail.Accounts.SetPasswordAsync(account.Address, "caf\u00E9 \u00BD", Actor.System, default)).IsOk.ShouldBeTrue();
        foreach (var typed in (string[])["caf\u00E9 \u00BD", "cafe\u0301 \u00BD", "caf\u00E9\u00A01\u20442"])
        {
            (await StepAsync(Start("PLAIN"), $"\0{account.Address}\0{typed}")).Result.Status.ShouldBe(LoginStatus.Ok, typed);
        }

        (await StepAsync(Start("PLAIN"), $"\0{account.Address}\0cafe \u00BD")).Result.Status.ShouldBe(LoginStatus.BadCredentials);
    }

    [Theory]
    [InlineData("PLAIN")]
    [InlineData("LOGIN")]
    [InlineData("SCRAM-SHA-256")]
    public async Task A_name_is_the_same_however_its_characters_are_typed(string mechanism) // RFC 4616 §2, RFC 5802 §5.1
    {
        var name = $"j\u00FCrgen-{mechanism.ToLowerInvariant()}";
        var account = await fixture.Mail.Accounts.AddAsync($"{name}@example.test", TestMail.Password, null, Actor.System, default);
        account.IsOk.ShouldBeTrue();
        // Composed, with capitals, with an accent of its own, with a soft hyphen, in full width.
        foreach (var typed in (string[])["j\u00FCrgen", "J\u00DCRGEN", "ju\u0308rgen", "j\u00FCr\u00ADgen", "j\u00FC\uFF52\uFF47\uFF45\uFF4E"])
        {
            (await LogInAsync(name.Replace("j\u00FCrgen", typed))).ShouldBe(LoginStatus.Ok, typed);
        }

        (await LogInAsync(name.Replace('\u00FC', 'u'))).ShouldBe(LoginStatus.BadCredentials);
        (await LogInAsync("\u0627" + name)).ShouldBe(LoginStatus.BadCredentials, "letters of both directions");

        async Task<LoginStatus> LogInAsync(string localPart)
        {
            var user = $"{localPart}@example.test";
            var exchange = Start(mechanism);
            switch (mechanism)
            {
                case "PLAIN":
                    return (await StepAsync(exchange, $"\0{user}\0{TestMail.Password}")).Result.Status;
                case "LOGIN":
                    await StepAsync(exchange, user);
                    return (await StepAsync(exchange, TestMail.Password)).Result.Status;
                default:
                    var bare = $"n={user},r=abc";
                    var (final, _) = ScramClient.Answer(TestMail.Password, bare, Ask(await StepAsync(exchange, $"n,,{bare}")), "biws", HashAlgorithmName.SHA256);
                    return (await StepAsync(exchange, final)).Result.Status;
            }
        }
    }

    [Fact]
    public void No_octets_break_a_mechanism() => Check.One(
        Config.QuickThrowOnFailure.WithMaxTest(300),
        Prop.ForAll<byte[], byte[]>((first, second) =>
        {
            // Behind a NUL or a comma more of the grammars is reached.
            byte[][] messages = [first, second, [0, .. first, 0, .. second], [.. "n,,n="u8, .. first, .. ",r="u8, .. second]];
            foreach (var mechanism in (string[])["PLAIN", "LOGIN", "SCRAM-SHA-256", "SCRAM-SHA-1"])
            {
                foreach (var message in messages)
                {
                    var exchange = Start(mechanism);
                    var step = Wait(exchange.StepAsync(message, default));
                    if (step.State == SaslState.Challenge)
                    {
                        step = Wait(exchange.StepAsync(second, default));
                    }

                    step.Result.Status.ShouldNotBe(step.State == SaslState.Done ? LoginStatus.Ok : LoginStatus.Suspended);
                }
            }
        }));

    // FsCheck's properties are synchronous.
    private static SaslStep Wait(ValueTask<SaslStep> step)
    {
        var task = step.AsTask();
        task.Wait(Waiting.Limit).ShouldBeTrue();
        return task.GetAwaiter().GetResult();
    }

    private async Task<SaslStep> PlainAsync(string message, bool latin1 = false)
    {
        var account = await fixture.NewAccountAsync();
        var text = message.Replace("{user}", account.Address).Replace("{pass}", TestMail.Password);
        return await Start("PLAIN").StepAsync((latin1 ? Encoding.Latin1 : Encoding.UTF8).GetBytes(text), default);
    }

    private async Task<SaslStep> CramAsync(string user, string password)
    {
        var exchange = Start("CRAM-MD5");
        var challenge = (await exchange.StepAsync(null, default)).Challenge;
        var digest = Convert.ToHexStringLower(HMACMD5.HashData(Encoding.UTF8.GetBytes(password), challenge.Span));
        return await StepAsync(exchange, $"{user} {digest}");
    }

    private IReadOnlyList<string> Offered() => SaslServer.Offered(Connection(), fixture.Mail.Authenticator);

    private SaslExchange Start(string mechanism) => SaslServer.Start(mechanism, Connection(), fixture.Mail.Authenticator, Context)!;

    private static ValueTask<SaslStep> StepAsync(SaslExchange exchange, string message) =>
        exchange.StepAsync(Encoding.UTF8.GetBytes(message), default);

    private static string Ask(SaslStep step)
    {
        step.State.ShouldBe(SaslState.Challenge);
        return Encoding.ASCII.GetString(step.Challenge.Span);
    }

    private static MailConnection Connection(bool plaintext = true, string client = "127.0.0.1")
    {
        var (server, _) = MemoryConnection.Create();
        return new(server, new("c1", "imap", new(IPAddress.Loopback, 143), new(IPAddress.Parse(client), 40000), plaintext), TestCertificate.Tls, null);
    }
}
