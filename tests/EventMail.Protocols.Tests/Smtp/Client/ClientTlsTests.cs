using System.Security.Cryptography.X509Certificates;
using EventMail.Protocols.Smtp.Client;

namespace EventMail.Protocols.Tests.Smtp.Client;

/// <summary>STARTTLS and implicit TLS, and what is done where they fail.</summary>
public sealed class ClientTlsTests
{
    private static readonly X509Certificate2 Right = TestAuthority.Shared.Issue("localhost");

    private static ClientOptions With(TlsRequirement requirement, params string[] names) => ClientTesting.Options with
    {
        Tls = new() { Requirement = requirement, Policy = "test", TrustAnchors = TestAuthority.Shared.Anchors, Names = names },
    };

    [Theory]
    [InlineData(TlsRequirement.Opportunistic)]
    [InlineData(TlsRequirement.Encrypted)]
    [InlineData(TlsRequirement.Verified)]
    public async Task A_right_certificate_is_reported_as_verified(TlsRequirement requirement)
    {
        await using var peer = new ScriptedPeer("STARTTLS", "PIPELINING") { Certificate = Right };
        await using var client = await ClientTesting.ConnectAsync(peer.Host, With(requirement));
        var tls = client.Tls.ShouldNotBeNull();
        (tls.Policy, tls.Verified, client.TlsProblem).ShouldBe(("test", true, null));
        tls.Version.ShouldBeOneOf("TLSv1.2", "TLSv1.3");
        tls.Cipher.ShouldStartWith("TLS_");
        (await client.SendAsync(ClientTesting.Small())).Only().Outcome.ShouldBe(SendOutcome.Delivered);
        // RFC 3207 §4.2: what was offered before is forgotten.
        peer.CommandsNamed("EHLO").Count().ShouldBe(2);
        client.Extensions.StartTls.ShouldBeFalse();
    }

    public static TheoryData<string> WrongCertificates => ["name", "issuer", "expired"];

    private static X509Certificate2 Wrong(string what) => what switch
    {
        // The common name is right; it does not count.
        "name" => TestAuthority.Shared.Issue("other.example"),
        "issuer" => new TestAuthority().Issue("localhost"),
        _ => TestAuthority.Shared.Issue("localhost", validUntil: -1),
    };

    [Theory]
    [MemberData(nameof(WrongCertificates))]
    public async Task A_wrong_certificate_ends_what_must_be_verified(string what)
    {
        await using var peer = new ScriptedPeer("STARTTLS") { Certificate = Wrong(what) };
        var fault = await ClientTesting.FailAsync(peer.Host, With(TlsRequirement.Verified));
        (fault.Stage, fault.Code, fault.Enhanced, fault.Permanent).ShouldBe(("starttls", 0, "4.7.5", false));
        fault.Text.ShouldStartWith("TLS failed: the certificate");
        peer.Connections.ShouldBe(1);
        peer.CommandsNamed("MAIL").ShouldBeEmpty();
    }

    [Theory]
    [MemberData(nameof(WrongCertificates))]
    public async Task A_wrong_certificate_is_good_enough_where_nobody_asked_for_more(string what)
    {
        await using var peer = new ScriptedPeer("STARTTLS") { Certificate = Wrong(what) };
        await using var client = await ClientTesting.ConnectAsync(peer.Host, With(TlsRequirement.Opportunistic));
        client.Tls.ShouldNotBeNull().Verified.ShouldBeFalse();
        client.TlsProblem.ShouldNotBeNull().ShouldStartWith("the certificate");
    }

    [Fact]
    public async Task A_name_of_a_policy_counts_instead_of_the_hosts()
    {
        await using var peer = new ScriptedPeer("STARTTLS") { Certificate = TestAuthority.Shared.Issue("*.mx.example") };
        await using var client = await ClientTesting.ConnectAsync(peer.Host, With(TlsRequirement.Verified, "other.example", "a.mx.example"));
        client.Tls!.Verified.ShouldBeTrue();
        (await ClientTesting.FailAsync(peer.Host, With(TlsRequirement.Verified, "a.b.mx.example"))).Enhanced.ShouldBe("4.7.5");
    }

    [Theory]
    [InlineData(null)]
    [InlineData("no TLSA record matches")]
    public async Task A_check_decides_instead_of_names_and_anchors(string? problem)
    {
        var certificate = new TestAuthority().Issue("other.example");
        await using var peer = new ScriptedPeer("STARTTLS") { Certificate = certificate };
        var options = ClientTesting.Options with
        {
            Tls = new()
            {
                Requirement = TlsRequirement.Verified,
                Policy = "dane",
                Check = (seen, _) => seen.Thumbprint == certificate.Thumbprint ? problem : "another one",
            },
        };
        var (client, fault) = await SmtpClient.ConnectAsync(peer.Host, options, CancellationToken.None);
        await using var owned = client;
        (client?.Tls?.Verified).ShouldBe(problem is null ? true : null);
        fault?.Text.ShouldBe($"TLS failed: {problem}");
    }

    [Theory]
    [InlineData("454 4.7.0 Not now")]
    [InlineData("501 5.5.4 What")]
    public async Task A_refused_STARTTLS_leaves_an_opportunistic_client_in_the_clear(string reply)
    {
        await using var peer = new ScriptedPeer("STARTTLS") { Answer = command => command == "STARTTLS" ? reply : null };
        await using var client = await ClientTesting.ConnectAsync(peer.Host, With(TlsRequirement.Opportunistic));
        client.Tls.ShouldBeNull();
        client.TlsProblem.ShouldBe($"STARTTLS was refused: {reply[..3]} {reply[10..]}");
        (await client.SendAsync(ClientTesting.Small())).Only().Outcome.ShouldBe(SendOutcome.Delivered);

        var fault = await ClientTesting.FailAsync(peer.Host, With(TlsRequirement.Encrypted));
        (fault.Stage, fault.Code, fault.Enhanced, fault.Permanent).ShouldBe(("starttls", int.Parse(reply[..3]), "4.7.10", false));
    }

    [Fact]
    public async Task A_host_without_STARTTLS_is_no_host_for_those_who_need_it()
    {
        await using var peer = new ScriptedPeer("PIPELINING");
        var fault = await ClientTesting.FailAsync(peer.Host, With(TlsRequirement.Verified));
        fault.ShouldBe(new("starttls", 0, "4.7.10", "STARTTLS is not offered", false));
        peer.Commands.ShouldBe(["EHLO client.example.org", "QUIT"]);
    }

    [Fact]
    public async Task A_handshake_that_fails_is_followed_by_a_connection_in_the_clear_where_nobody_asked_for_more()
    {
        // Says 220, and then nonsense instead of a handshake.
        var handshakes = 0;
        await using var peer = new ScriptedPeer("STARTTLS")
        {
            Answer = command => command.StartsWith("STARTTLS", StringComparison.Ordinal) ? "220 Go on"
                : command is "CONNECT" || command.StartsWith("EHLO", StringComparison.Ordinal) || command.StartsWith("MAIL", StringComparison.Ordinal)
                    || command.StartsWith("RCPT", StringComparison.Ordinal) || command is "DATA" or "." or "QUIT" ? null
                : ++handshakes > 0 ? "500 What" + ScriptedPeer.Close : null,
        };
        await using var client = await ClientTesting.ConnectAsync(peer.Host, With(TlsRequirement.Opportunistic));
        client.Tls.ShouldBeNull();
        client.TlsProblem.ShouldNotBeNull().ShouldStartWith("TLS failed");
        peer.Connections.ShouldBe(2);
        (await client.SendAsync(ClientTesting.Small())).Only().Outcome.ShouldBe(SendOutcome.Delivered);

        (await ClientTesting.FailAsync(peer.Host, With(TlsRequirement.Encrypted))).Enhanced.ShouldBe("4.7.5");
        peer.Connections.ShouldBe(3);
    }

    [Fact]
    public async Task What_was_said_in_the_clear_behind_the_reply_to_STARTTLS_ends_the_connection()
    {
        // RFC 3207 §6: else the injected lines would be read as the reply to the next EHLO.
        await using var peer = new ScriptedPeer("STARTTLS")
        {
            Answer = command => command == "STARTTLS" ? "220 Go on\r\n250-evil.example\r\n250 AUTH PLAIN" : null,
        };
        foreach (var requirement in (TlsRequirement[])[TlsRequirement.Opportunistic, TlsRequirement.Encrypted])
        {
            var fault = await ClientTesting.FailAsync(peer.Host, With(requirement));
            (fault.Stage, fault.Enhanced, fault.Permanent).ShouldBe(("starttls", "4.7.5", false));
            fault.Text.ShouldContain("in the clear");
        }

        peer.Connections.ShouldBe(2);
    }

    [Fact]
    public async Task A_handshake_that_never_ends_costs_its_time_out()
    {
        await using var peer = new ScriptedPeer("STARTTLS") { Certificate = null };
        var fault = await ClientTesting.FailAsync(
            peer.Host, With(TlsRequirement.Encrypted) with { Timeouts = ClientTesting.Patient with { Handshake = ClientTesting.Soon } });
        (fault.Stage, fault.Enhanced).ShouldBe(("starttls", "4.7.5"));
    }

    [Fact]
    public async Task TLS_from_the_first_octet_on()
    {
        await using var peer = new ScriptedPeer("PIPELINING") { Certificate = Right, Implicit = true };
        var options = With(TlsRequirement.Verified);
        await using var client = await ClientTesting.ConnectAsync(peer.Host, options with { Tls = options.Tls with { Implicit = true } });
        client.Tls.ShouldNotBeNull().Verified.ShouldBeTrue();
        (await client.SendAsync(ClientTesting.Small())).Only().Outcome.ShouldBe(SendOutcome.Delivered);
        await client.QuitAsync();
        peer.CommandsNamed("STARTTLS").ShouldBeEmpty();
    }

    [Theory]
    [InlineData(false, true, "5.7.10")]
    [InlineData(true, false, "5.7.30")]
    [InlineData(true, true, null)]
    public async Task REQUIRETLS_needs_verified_TLS_and_the_hosts_promise(bool rightCertificate, bool offered, string? enhanced)
    {
        // RFC 8689 §4.2.1
        await using var peer = new ScriptedPeer(["STARTTLS", "DSN", .. offered ? (string[])["REQUIRETLS"] : []])
        {
            Certificate = rightCertificate ? Right : Wrong("name"),
        };
        await using var client = await ClientTesting.ConnectAsync(peer.Host, With(TlsRequirement.Opportunistic));
        var result = (await client.SendAsync(ClientTesting.Small() with { RequireTls = true, Return = "full" })).Only();
        if (enhanced is null)
        {
            result.Outcome.ShouldBe(SendOutcome.Delivered);
            // RFC 8689 §5: nothing comes back whole.
            peer.CommandsNamed("MAIL").Single().ShouldBe("MAIL FROM:<sender@example.org> REQUIRETLS RET=HDRS");
        }
        else
        {
            (result.Outcome, result.Enhanced).ShouldBe((SendOutcome.Failed, enhanced));
            peer.CommandsNamed("MAIL").ShouldBeEmpty();
        }
    }

    [Theory]
    [InlineData("opportunistic", true, "MAIL FROM:<>")]
    [InlineData("mta-sts", true, "MAIL FROM:<> REQUIRETLS")]
    [InlineData("mta-sts", false, "MAIL FROM:<>")]
    public async Task What_has_no_sender_is_not_lost_for_REQUIRETLS(string policy, bool offered, string expected)
    {
        // RFC 8689 §2, §5
        await using var peer = new ScriptedPeer(["STARTTLS", .. offered ? (string[])["REQUIRETLS"] : []]) { Certificate = Right };
        var options = With(TlsRequirement.Opportunistic);
        await using var client = await ClientTesting.ConnectAsync(peer.Host, options with { Tls = options.Tls with { Policy = policy } });
        var result = (await client.SendAsync(ClientTesting.Small() with { RequireTls = true, Sender = "" })).Only();
        result.Outcome.ShouldBe(SendOutcome.Delivered);
        peer.CommandsNamed("MAIL").Single().ShouldBe(expected);
    }
}
