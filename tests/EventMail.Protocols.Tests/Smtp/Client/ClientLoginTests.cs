using System.Security.Cryptography;
using System.Text;
using EventMail.Protocols.Smtp.Client;
using EventMail.Protocols.Smtp.Client.Auth;
using EventMail.Testing;

namespace EventMail.Protocols.Tests.Smtp.Client;

/// <summary>AUTH as a client (RFC 4954), towards smarthosts that are right, wrong and false.</summary>
public sealed class ClientLoginTests
{
    private static ClientOptions With(string? password = "pencil", string? tokenFile = null, bool tls = true) => ClientTesting.Options with
    {
        Credentials = new("user", password, tokenFile),
        Tls = new() { Requirement = tls ? TlsRequirement.Encrypted : TlsRequirement.None, Policy = "smarthost" },
    };

    private static ScriptedPeer Peer(string offered, Func<string, string?> answer) => new("STARTTLS", $"AUTH {offered}")
    {
        Certificate = TestCertificate.Certificate,
        Answer = answer,
    };

    private static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));

    [Fact]
    public async Task PLAIN_comes_with_its_initial_response()
    {
        await using var peer = Peer("LOGIN PLAIN", command => command.StartsWith("AUTH", StringComparison.Ordinal) ? "235 2.7.0 Welcome" : null);
        await using var client = await ClientTesting.ConnectAsync(peer.Host, With());
        peer.CommandsNamed("AUTH").ShouldBe([$"AUTH PLAIN {Base64("\0user\0pencil")}"]);
    }

    [Fact]
    public async Task Who_is_logged_in_vouches_for_no_sender()
    {
        // RFC 4954 §5: AUTH=<> to every server that we logged in to
        await using var peer = Peer("PLAIN", command => command.StartsWith("AUTH", StringComparison.Ordinal) ? "235 2.7.0 Welcome" : null);
        await using var client = await ClientTesting.ConnectAsync(peer.Host, With());
        (await client.SendAsync(ClientTesting.Small())).Only().Outcome.ShouldBe(SendOutcome.Delivered);
        peer.CommandsNamed("MAIL").ShouldBe(["MAIL FROM:<sender@example.org> AUTH=<>"]);
    }

    [Fact]
    public async Task LOGIN_answers_two_questions()
    {
        await using var peer = Peer("LOGIN", command => command == "AUTH LOGIN" ? "334 VXNlcm5hbWU6"
            : command == Base64("user") ? "334 UGFzc3dvcmQ6" : command == Base64("pencil") ? "235 2.7.0 Welcome" : null);
        await using var client = await ClientTesting.ConnectAsync(peer.Host, With());
    }

    [Fact]
    public async Task CRAM_MD5_answers_as_in_the_RFC()
    {
        // RFC 2195 §2
        await using var peer = Peer("CRAM-MD5", command => command == "AUTH CRAM-MD5" ? $"334 {Base64("<1896.697170952@postoffice.reston.mci.net>")}"
            : command == Base64("tim b913a602c7eda7a495b4e6e7334d3890") ? "235 2.7.0 Welcome" : null);
        await using var client = await ClientTesting.ConnectAsync(
            peer.Host, With(tls: false) with { Credentials = new("tim", "tanstaaftanstaaf") });
    }

    [Theory]
    [InlineData("PLAIN LOGIN XOAUTH2 OAUTHBEARER")]
    [InlineData("")]
    public async Task No_password_crosses_a_connection_without_TLS(string offered)
    {
        await using var peer = new ScriptedPeer($"AUTH {offered}");
        var fault = await ClientTesting.FailAsync(peer.Host, With(tls: false));
        (fault.Stage, fault.Code, fault.Enhanced, fault.Permanent).ShouldBe(("auth", 0, "4.7.4", false));
        peer.Commands.ShouldBe(["EHLO client.example.org", "QUIT"]);
    }

    [Fact]
    public async Task SCRAM_computes_what_the_RFCs_print()
    {
        // RFC 7677 §3
        var scram = new ScramMechanism(HashAlgorithmName.SHA256, "user", "pencil", null, false, 10_000, "rOprNGfwEbeRWgbNEkqO");
        Encoding.ASCII.GetString(scram.Initial).ShouldBe("n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
        var final = scram.Respond("r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"u8);
        Encoding.ASCII.GetString(final!).ShouldBe(
            "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=");
        scram.IsComplete.ShouldBeFalse();
        scram.Respond("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="u8).ShouldBe([]);
        scram.IsComplete.ShouldBeTrue();

        // RFC 5802 §5
        var sha1 = new ScramMechanism(HashAlgorithmName.SHA1, "user", "pencil", null, false, 10_000, "fyko+d2lbbFgONRv9qkxdawL");
        Encoding.ASCII.GetString(sha1.Respond("r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096"u8)!).ShouldEndWith("p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=");
        sha1.Respond("v=rmF9pqV8S7suAoZWja4dJRkFsKQ="u8).ShouldBe([]);
    }

    [Theory]
    [InlineData("r=other,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096")]
    [InlineData("r=abc,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096")]
    [InlineData("r=abcd,s=,i=4096")]
    [InlineData("r=abcd,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=1")]
    [InlineData("r=abcd,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=2000000000")]
    [InlineData("m=what,r=abcd,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096")]
    [InlineData("e=other-error")]
    [InlineData("")]
    public void SCRAM_says_nothing_more_to_a_server_that_breaks_its_grammar_or_bounds(string first)
    {
        new ScramMechanism(HashAlgorithmName.SHA256, "user", "pencil", null, false, 10_000, "abc").Respond(Encoding.ASCII.GetBytes(first)).ShouldBeNull();
    }

    [Fact]
    public async Task A_server_that_does_not_prove_that_it_knows_the_password_gets_no_mail()
    {
        var nonce = "";
        foreach (var end in new[] { "235 2.7.0 Welcome", $"334 {Base64("v=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")}" })
        {
            await using var peer = Peer("SCRAM-SHA-256", command =>
            {
                if (command.StartsWith("AUTH", StringComparison.Ordinal))
                {
                    nonce = Encoding.ASCII.GetString(Convert.FromBase64String(command.Split(' ')[2])).Split("r=")[1];
                    return $"334 {Base64($"r={nonce}more,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096")}";
                }

                return command.StartsWith("EHLO", StringComparison.Ordinal) || command is "CONNECT" or "STARTTLS" ? null : command == "*" ? "501 5.7.0 Cancelled" : end;
            });
            var fault = await ClientTesting.FailAsync(peer.Host, With());
            (fault.Stage, fault.Code, fault.Permanent).ShouldBe(("auth", 0, false));
            peer.CommandsNamed("MAIL").ShouldBeEmpty();
        }
    }

    [Fact]
    public async Task A_refused_password_is_not_tried_by_another_mechanism()
    {
        await using var peer = Peer("PLAIN LOGIN CRAM-MD5", command => command.StartsWith("AUTH", StringComparison.Ordinal) ? "535 5.7.8 No" : null);
        var fault = await ClientTesting.FailAsync(peer.Host, With());
        fault.ShouldBe(new("auth", 535, "4.7.8", "No", false));
        peer.CommandsNamed("AUTH").Count().ShouldBe(1);
    }

    [Fact]
    public async Task A_refused_mechanism_is_followed_by_the_next()
    {
        await using var peer = Peer("PLAIN LOGIN", command => command.StartsWith("AUTH PLAIN", StringComparison.Ordinal) ? "504 5.5.4 Not this one"
            : command == "AUTH LOGIN" ? "334 VXNlcm5hbWU6" : command == Base64("user") ? "334 UGFzc3dvcmQ6" : command == Base64("pencil") ? "235 2.7.0 Welcome" : null);
        await using var client = await ClientTesting.ConnectAsync(peer.Host, With());
    }

    [Fact]
    public async Task A_token_comes_from_its_file_at_each_login()
    {
        var file = Path.GetTempFileName();
        try
        {
            await using var peer = Peer("PLAIN XOAUTH2", command => command.StartsWith("AUTH", StringComparison.Ordinal) ? "235 2.7.0 Welcome" : null);
            foreach (var token in (string[])["first", "second"])
            {
                await File.WriteAllTextAsync(file, token + "\n");
                await using var client = await ClientTesting.ConnectAsync(peer.Host, With(null, file));
                peer.CommandsNamed("AUTH").Last().ShouldBe($"AUTH XOAUTH2 {Base64($"user=user\u0001auth=Bearer {token}\u0001\u0001")}");
            }

            await File.WriteAllTextAsync(file, "two words");
            (await ClientTesting.FailAsync(peer.Host, With(null, file))).Text.ShouldContain(file);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public async Task A_long_token_waits_for_its_challenge_and_an_error_is_acknowledged()
    {
        var file = Path.GetTempFileName();
        try
        {
            var token = new string('t', 1000);
            await File.WriteAllTextAsync(file, token);
            await using var peer = Peer("OAUTHBEARER", command => command == "AUTH OAUTHBEARER" ? "334 "
                : command.Length > 1000 ? $"334 {Base64("""{"status":"invalid_token"}""")}" : command == "AQ==" ? "535 5.7.8 No" : null);
            var fault = await ClientTesting.FailAsync(peer.Host, With(null, file));
            fault.Code.ShouldBe(535);
            peer.Commands.ShouldContain(Base64($"n,a=user,\u0001host=localhost\u0001port={peer.Host.Address.Port}\u0001auth=Bearer {token}\u0001\u0001"));
        }
        finally
        {
            File.Delete(file);
        }
    }
}
