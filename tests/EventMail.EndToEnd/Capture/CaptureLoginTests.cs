using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using EventMail.Testing.Transcripts;

namespace EventMail.EndToEnd.Capture;

/// <summary>A capturing server on which a password is agreed for the mechanisms that show none.</summary>
public sealed class CaptureWithPassword : IAsyncLifetime
{
    public const string Password = "agreed on";

    public CaptureMode Mode { get; } = new();

    public Task InitializeAsync() => Mode.StartAsync($"Capture:Password={Password}");

    public Task DisposeAsync() => Mode.DisposeAsync();
}

/// <summary>Every mechanism lets everybody in, those that prove a password with the one that is set; what was shown can be asked for.</summary>
public sealed class CaptureLoginTests(CaptureWithPassword server) : IClassFixture<CaptureWithPassword>
{
    private readonly CaptureMode _mode = server.Mode;

    [NeedsTheory("gsasl")]
    [InlineData("SCRAM-SHA-256-PLUS", true)]
    [InlineData("SCRAM-SHA-256", false)]
    [InlineData("SCRAM-SHA-1", false)]
    [InlineData("CRAM-MD5", false)]
    public async Task Gsasl_proves_the_password_that_is_set_and_no_other(string mechanism, bool tls)
    {
        var user = $"{mechanism}@prove.example".ToLowerInvariant();
        (await GsaslAsync(mechanism, user, CaptureWithPassword.Password, tls)).ShouldBe(0);
        var login = (await LoginsAsync(user)).ShouldHaveSingleItem()!;
        ((string)login["mechanism"]!).ShouldBe(mechanism);
        ((bool)login["tls"]!).ShouldBe(tls);
        login["password"].ShouldBeNull();
        (await GsaslAsync(mechanism, user, "another", tls)).ShouldNotBe(0);
        (await LoginsAsync(user)).ShouldHaveSingleItem();
    }

    [Theory]
    [InlineData("PLAIN", "\0plain\0words", "plain", "words")]
    [InlineData("XOAUTH2", "user=old\u0001auth=Bearer ya29.x\u0001\u0001", "old", "ya29.x")]
    [InlineData("OAUTHBEARER", "n,a=new,\u0001auth=Bearer ey.J\u0001\u0001", "new", "ey.J")]
    public async Task What_a_client_shows_can_be_asked_for(string mechanism, string response, string user, string shown)
    {
        await using var client = await _mode.GreetAsync();
        (await client.AskAsync($"AUTH {mechanism} {Convert.ToBase64String(Encoding.UTF8.GetBytes(response))}"))!.ShouldStartWith("235");
        var login = (await LoginsAsync(user)).ShouldHaveSingleItem()!;
        ((string)login["password"]!).ShouldBe(shown);
        ((string)login["protocol"]!).ShouldBe("smtp");
        ((string)login["mechanism"]!).ShouldBe(mechanism);
        (await LoginsAsync($"{user}&after={(long)login["id"]!}")).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_token_message_without_a_token_is_refused()
    {
        await using var client = await _mode.GreetAsync();
        (await client.AskAsync("AUTH OAUTHBEARER " + Convert.ToBase64String("n,,\u0001\u0001"u8)))!.ShouldStartWith("501");
    }

    private async Task<JsonArray> LoginsAsync(string user) => (await _mode.Http.GetFromJsonAsync<JsonObject>("/api/logins?user=" + user))!["logins"]!.AsArray();

    private async Task<int> GsaslAsync(string mechanism, string user, string password, bool tls)
    {
        using var home = new TempFolder();
        var certificate = Path.Combine(_mode.Folder, "tls", "self-signed.pem");
        return (await ClientProgram.TryRunAsync(
            "gsasl",
            [
                "--imap", "--connect", _mode.Server["imap"].ToString(), "--mechanism", mechanism, "--authentication-id", user, "--authorization-id", "",
                "--password", password, "--no-client-first", .. tls ? (string[])["--starttls", "--x509-ca-file", certificate] : ["--no-starttls"],
            ],
            home: home.Path)).Status;
    }
}
