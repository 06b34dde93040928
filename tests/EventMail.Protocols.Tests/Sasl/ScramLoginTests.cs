using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using EventMail.Protocols.Sasl;
using EventMail.Protocols.Tests.Imap;
using EventMail.Testing;
using EventMail.Testing.Transcripts;

namespace EventMail.Protocols.Tests.Sasl;

/// <summary>SCRAM and its -PLUS through a real session, against a real account.</summary>
public sealed class ScramLoginTests(ImapFixture fixture) : IClassFixture<ImapFixture>
{
    [Theory]
    [InlineData("SCRAM-SHA-256")]
    [InlineData("SCRAM-SHA-1")]
    public async Task The_right_password_logs_in_and_the_server_proves_that_it_knows_it(string mechanism)
    {
        var account = await fixture.NewAccountAsync();
        var client = await OpenAsync();
        (await LogInAsync(client, mechanism, account.Address, TestMail.Password, "n,,", [])).ShouldStartWith("a OK");
    }

    [Theory]
    [InlineData("SCRAM-SHA-256")]
    [InlineData("SCRAM-SHA-1")]
    public async Task A_wrong_password_and_an_unknown_user_hear_the_same(string mechanism)
    {
        var account = await fixture.NewAccountAsync();
        var wrong = await LogInAsync(await OpenAsync(), mechanism, account.Address, "wrong", "n,,", []);
        var unknown = await LogInAsync(await OpenAsync(), mechanism, "nobody@example.test", "wrong", "n,,", []);
        wrong.ShouldStartWith("a NO [AUTHENTICATIONFAILED]");
        unknown.ShouldBe(wrong);
    }

    [Fact]
    public async Task Acting_for_somebody_else_is_refused()
    {
        var account = await fixture.NewAccountAsync();
        (await LogInAsync(await OpenAsync(), "SCRAM-SHA-256", account.Address, TestMail.Password, "n,a=other@example.test,", []))
            .ShouldStartWith("a NO [AUTHORIZATIONFAILED]");
        (await LogInAsync(await OpenAsync(), "SCRAM-SHA-256", account.Address, "wrong", "n,a=other@example.test,", []))
            .ShouldStartWith("a NO [AUTHENTICATIONFAILED]");
    }

    [Theory]
    [InlineData("SCRAM-SHA-256-PLUS")]
    [InlineData("SCRAM-SHA-1-PLUS")]
    public async Task Over_TLS_the_login_can_be_bound_to_the_servers_certificate(string mechanism)
    {
        var account = await fixture.NewAccountAsync();
        var (client, certificate) = await OpenTlsAsync();
        var binding = certificate.GetCertHash(HashAlgorithmName.SHA256);
        (await LogInAsync(client, mechanism, account.Address, TestMail.Password, "p=tls-server-end-point,,", binding)).ShouldStartWith("a OK");
    }

    [Theory]
    [InlineData(SslProtocols.Tls13, "tls-exporter")] // RFC 9266
    [InlineData(SslProtocols.Tls12, "tls-unique")] // RFC 5929 §3
    public async Task Over_TLS_the_login_can_be_bound_to_the_connection(SslProtocols version, string name)
    {
        var account = await fixture.NewAccountAsync();
        var (client, _) = await OpenTlsAsync(version);
        var binding = version == SslProtocols.Tls13 ? TlsExporter.Of(client.Tls!) : ChannelBindings.UniqueOf(client.Tls!);
        binding.ShouldNotBeNull();
        (await LogInAsync(client, "SCRAM-SHA-256-PLUS", account.Address, TestMail.Password, $"p={name},,", binding)).ShouldStartWith("a OK");

        // The same words on another connection are worth nothing.
        var (other, _) = await OpenTlsAsync(version);
        (await LogInAsync(other, "SCRAM-SHA-256-PLUS", account.Address, TestMail.Password, $"p={name},,", binding))
            .ShouldStartWith("a NO [AUTHENTICATIONFAILED]");
    }

    [Theory]
    [InlineData(SslProtocols.Tls12, "tls-exporter")]
    [InlineData(SslProtocols.Tls13, "tls-unique")]
    [InlineData(SslProtocols.Tls13, "tls-server-end-point-2")]
    public async Task A_binding_that_the_connection_does_not_have_is_malformed(SslProtocols version, string name)
    {
        var (client, _) = await OpenTlsAsync(version);
        (await LogInAsync(client, "SCRAM-SHA-256-PLUS", "user@example.test", "x", $"p={name},,", new byte[32])).ShouldStartWith("a BAD");
    }

    [Fact]
    public async Task The_flag_for_a_binding_and_the_mechanism_with_a_binding_go_together() // RFC 5802 §6
    {
        var account = await fixture.NewAccountAsync();
        var (client, certificate) = await OpenTlsAsync();
        (await LogInAsync(client, "SCRAM-SHA-256-PLUS", account.Address, TestMail.Password, "n,,", [])).ShouldStartWith("a BAD");
        (await LogInAsync(
            client, "SCRAM-SHA-256", account.Address, TestMail.Password, "p=tls-server-end-point,,",
            certificate.GetCertHash(HashAlgorithmName.SHA256))).ShouldStartWith("a BAD");
        (await LogInAsync(client, "SCRAM-SHA-256", account.Address, TestMail.Password, "n,,", [])).ShouldStartWith("a OK");
    }

    [Fact]
    public async Task A_client_that_can_bind_and_sees_no_offer_logs_in_without_TLS()
    {
        var account = await fixture.NewAccountAsync();
        (await LogInAsync(await OpenAsync(), "SCRAM-SHA-256", account.Address, TestMail.Password, "y,,", [])).ShouldStartWith("a OK");
    }

    [Fact]
    public async Task A_login_bound_to_another_certificate_is_refused()
    {
        var account = await fixture.NewAccountAsync();
        var (client, _) = await OpenTlsAsync();
        (await LogInAsync(client, "SCRAM-SHA-256-PLUS", account.Address, TestMail.Password, "p=tls-server-end-point,,", new byte[32]))
            .ShouldStartWith("a NO [AUTHENTICATIONFAILED]");
    }

    [Fact]
    public async Task A_client_that_was_told_of_no_binding_is_refused_where_there_is_one()
    {
        var account = await fixture.NewAccountAsync();
        var (client, _) = await OpenTlsAsync();
        (await LogInAsync(client, "SCRAM-SHA-256", account.Address, TestMail.Password, "y,,", [])).ShouldStartWith("a NO [AUTHENTICATIONFAILED]");
    }

    private async Task<ScriptedClient> OpenAsync()
    {
        var client = new ScriptedClient(fixture.Open().Client);
        await client.ReadLineAsync();
        return client;
    }

    private async Task<(ScriptedClient, X509Certificate2)> OpenTlsAsync(SslProtocols version = SslProtocols.None)
    {
        var stream = fixture.Open("starttls").Client;
        var plain = new ScriptedClient(stream);
        (await plain.ReadLineAsync())!.ShouldNotContain("SCRAM-SHA-256-PLUS");
        await plain.SendLineAsync("s STARTTLS");
        await plain.ExpectMatchAsync("s OK .*");
        var tls = new SslStream(stream, leaveInnerStreamOpen: false, (_, _, _, _) => true);
        await tls.AuthenticateAsClientAsync("localhost", null, version, checkCertificateRevocation: false);
        var client = new ScriptedClient(tls);
        await client.SendLineAsync("c CAPABILITY");
        (await client.ReadLineAsync())!.ShouldContain("AUTH=SCRAM-SHA-256-PLUS");
        await client.ReadLineAsync();
        return (client, new X509Certificate2(tls.RemoteCertificate!));
    }

    /// <summary>The tagged reply.</summary>
    private static async Task<string> LogInAsync(
        ScriptedClient client, string mechanism, string user, string password, string header, byte[] binding)
    {
        var bare = $"n={user},r={Convert.ToBase64String(RandomNumberGenerator.GetBytes(18))}";
        await client.SendLineAsync($"a AUTHENTICATE {mechanism} {Base64(header + bare)}");
        var challenge = await client.ReadLineAsync();
        if (!challenge!.StartsWith("+ ", StringComparison.Ordinal))
            return challenge;
        var serverFirst = Encoding.UTF8.GetString(Convert.FromBase64String(challenge[2..]));
        var (final, verifier) = ScramClient.Answer(
            password, bare, serverFirst, Convert.ToBase64String([.. Encoding.UTF8.GetBytes(header), .. binding]),
            mechanism.StartsWith("SCRAM-SHA-1", StringComparison.Ordinal) ? HashAlgorithmName.SHA1 : HashAlgorithmName.SHA256);
        await client.SendLineAsync(Base64(final));
        var reply = await client.ReadLineAsync();
        if (!reply!.StartsWith("+ ", StringComparison.Ordinal))
            return reply;
        Encoding.UTF8.GetString(Convert.FromBase64String(reply[2..])).ShouldBe(verifier);
        await client.SendLineAsync("");
        return (await client.ReadLineAsync())!;
    }

    private static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));
}
