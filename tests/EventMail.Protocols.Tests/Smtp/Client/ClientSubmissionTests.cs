using System.Net;
using System.Text;
using EventMail.Domain.Deliveries;
using EventMail.Protocols.Smtp;
using EventMail.Protocols.Smtp.Client;
using EventMail.Protocols.Smtp.Client.Auth;
using EventMail.Protocols.Tests.Smtp.Submission;
using EventMail.Testing;

namespace EventMail.Protocols.Tests.Smtp.Client;

/// <summary>The client logs in at our own submission port, as at a smarthost, and submits.</summary>
public sealed class ClientSubmissionTests(SubmissionFixture fixture) : IClassFixture<SubmissionFixture>
{
    private static readonly ClientTls Verified = new()
    {
        Requirement = TlsRequirement.Verified,
        Policy = "smarthost",
        TrustAnchors = [TestCertificate.Certificate],
    };

    [Theory]
    [InlineData("SCRAM-SHA-256-PLUS")]
    [InlineData("SCRAM-SHA-1-PLUS")]
    [InlineData("PLAIN")]
    [InlineData("LOGIN")]
    public async Task Each_mechanism_logs_in_with_the_right_password_only(string mechanism)
    {
        var account = await fixture.Mail.NewAccountAsync();
        await using var listener = await ListenAsync();
        foreach (var (password, isRight) in new[] { (TestMail.Password, true), ("wrong", false) })
        {
            var options = ClientTesting.Options with { Tls = Verified };
            await using var client = await ClientTesting.ConnectAsync(HostOf(listener), options);
            client.Extensions.Mechanisms.ShouldContain(mechanism);
            client.Extensions = client.Extensions with { Mechanisms = [mechanism] };
            var fault = await ClientLogin.RunAsync(client, new(account.Address, password), options, CancellationToken.None);
            (fault?.Code).ShouldBe(isRight ? null : 535);
            (fault?.Permanent ?? false).ShouldBeFalse();
        }
    }

    [Fact]
    public async Task Somebody_who_took_PLUS_out_of_the_offer_is_noticed()
    {
        // RFC 5802 §6: the client says that it could have bound the login, the server that it had offered to.
        var account = await fixture.Mail.NewAccountAsync();
        await using var listener = await ListenAsync();
        var options = ClientTesting.Options with { Tls = Verified };
        await using var client = await ClientTesting.ConnectAsync(HostOf(listener), options);
        client.Extensions = client.Extensions with { Mechanisms = ["SCRAM-SHA-256"] };
        var fault = await ClientLogin.RunAsync(client, new(account.Address, TestMail.Password), options, CancellationToken.None);
        fault.ShouldNotBeNull().Code.ShouldBe(535);
    }

    [Fact]
    public async Task A_message_is_submitted_with_all_that_the_port_offers()
    {
        var account = await fixture.Mail.NewAccountAsync();
        await using var listener = await ListenAsync();
        var options = ClientTesting.Options with { Tls = Verified, Credentials = new(account.Address, TestMail.Password) };
        await using var client = await ClientTesting.ConnectAsync(HostOf(listener), options);
        client.Tls.ShouldNotBeNull().ShouldSatisfyAllConditions(tls => tls.Verified.ShouldBeTrue(), tls => tls.Policy.ShouldBe("smarthost"));
        var octets = Encoding.UTF8.GetBytes(
            $"From: {account.Address}\r\nDate: Mon, 02 Feb 2026 10:00:00 +0000\r\nMessage-ID: <1@example.net>\r\nSubject: x\r\n\r\n.ü\r\n");
        var result = await client.SendAsync(ClientTesting.Message(octets) with
        {
            Sender = account.Address,
            Recipients = [new("bob@elsewhere.example", "rfc822;Bob@elsewhere.example", NotifyOn.Success | NotifyOn.Failure)],
            Body = "8bitmime",
            RequireTls = true,
            EnvelopeId = "a b",
            Return = "hdrs",
            DeliverBy = new(DateTimeOffset.UtcNow.AddHours(1), "N", false),
            Priority = 3,
        });
        result.Only().ShouldSatisfyAllConditions(r => r.Outcome.ShouldBe(SendOutcome.Delivered, r.ToString()), r => r.Enhanced.ShouldStartWith("2."));
        result.RelayedDsn.ShouldBeTrue();
        await client.QuitAsync();

        var (message, text) = await fixture.OnlySubmittedAsync();
        (message.EnvelopeId, message.Return, message.RequireTls, message.Priority).ShouldBe(("a b", "hdrs", true, 3));
        message.DeliverBy.ShouldNotBeNull().Mode.ShouldBe("N");
        message.Recipients.ShouldHaveSingleItem().ShouldBe(
            new("bob@elsewhere.example", "elsewhere.example", "rfc822;Bob@elsewhere.example", NotifyOn.Success | NotifyOn.Failure, NotifyGiven: true));
        text.ShouldEndWith("\r\n\r\n.ü\r\n");
    }

    private Task<TestListener> ListenAsync() => TestListener.StartAsync(
        connection => SmtpServer.ServeAsync(connection, fixture.Services, CancellationToken.None), TestCertificate.Tls, "submission");

    private static RemoteHost HostOf(TestListener listener) => new("localhost", new(IPAddress.Loopback, listener.Port));
}
