using System.Text;
using EventMail.Protocols.Pop3;
using EventMail.Protocols.Tests.Pop3;
using EventMail.Testing.Transcripts;
using static EventMail.Testing.TestIssuer;

namespace EventMail.Protocols.Tests.Sasl;

/// <summary>Access tokens over POP3 (RFC 5034, RFC 7628 §4).</summary>
public sealed class OAuthPop3Tests(Pop3Fixture fixture) : IClassFixture<Pop3Fixture>, IDisposable
{
    private readonly string _keys = Path.GetTempFileName();

    [Theory]
    [InlineData("OAUTHBEARER", "n,a={user},\u0001port=110\u0001auth=Bearer {token}\u0001\u0001")]
    [InlineData("XOAUTH2", "user={user}\u0001auth=Bearer {token}\u0001\u0001")]
    public async Task A_token_opens_the_maildrop(string mechanism, string message)
    {
        var account = await fixture.NewAccountAsync();
        var client = Open();
        await client.ExpectMatchAsync(@"\+OK .*");
        // A token is longer than POP3's command line (RFC 5034 §4), so the client waits for the server's empty challenge.
        (await client.AskAsync($"AUTH {mechanism}")).ShouldBe("+ ");
        var words = message.Replace("{user}", account.Address).Replace("{token}", Token("RS256", "r1", Claims(account.Address)));
        (await client.AskAsync(Base64(words))).ShouldBe("+OK Maildrop has 3 messages (110 octets)");
    }

    [Fact]
    public async Task A_bad_token_hears_why_answers_and_is_refused_and_may_try_again() // RFC 7628 §3.2.2, §3.2.3
    {
        var account = await fixture.NewAccountAsync();
        var client = Open();
        await client.ExpectMatchAsync(@"\+OK .*");
        var expired = Token("RS256", "r1", Claims(account.Address, expires: -120));
        await client.AskAsync("AUTH OAUTHBEARER");
        var challenge = (await client.AskAsync(Base64($"n,,\u0001auth=Bearer {expired}\u0001\u0001")))!;
        Encoding.UTF8.GetString(Convert.FromBase64String(challenge[2..])).ShouldStartWith("""{"status":"invalid_token",""");
        (await client.AskAsync("AQ==")).ShouldBe("-ERR [AUTH] The token has expired");

        await client.AskAsync("AUTH XOAUTH2");
        challenge = (await client.AskAsync(Base64($"user={account.Address}\u0001auth=Bearer {expired}\u0001\u0001")))!;
        Encoding.UTF8.GetString(Convert.FromBase64String(challenge[2..])).ShouldBe("""{"status":"401","schemes":"bearer","scope":"mail"}""");
        (await client.AskAsync("")).ShouldBe("-ERR [AUTH] The token has expired");

        await client.AskAsync("AUTH OAUTHBEARER");
        (await client.AskAsync(Base64($"n,,\u0001auth=Bearer {Token("ES256", "e1", Claims(account.Address))}\u0001\u0001"))).ShouldStartWith("+OK");
    }

    public void Dispose() => File.Delete(_keys);

    private ScriptedClient Open()
    {
        File.WriteAllText(_keys, Jwks());
        Pop3Services services = fixture.Services with
        {
            Authenticator = fixture.Mail.NewAuthenticator(new()
            {
                OAuth = new() { Issuer = Issuer, Audience = "mail-server", Keys = _keys, Scope = "mail" },
                Throttle = new() { Enabled = false },
            }),
        };
        return fixture.Open(services: services);
    }
}
