namespace EventMail.EndToEnd;

/// <summary>Logins by another implementation of SASL, with a password that is not ASCII.</summary>
public sealed class SaslClientTests(MailServer server) : IClassFixture<MailServer>
{
    private const string Password = "cl\u00E9 \u00BD";

    // GNU SASL prepares what it is given with its own SASLprep: the second is the first in another form.
    private static readonly string[] Typed = [Password, "cle\u0301 1\u20442"];

    [NeedsTheory("gsasl")]
    [InlineData("SCRAM-SHA-256-PLUS", true)] // bound by tls-exporter (RFC 9266)
    [InlineData("SCRAM-SHA-256", false)]
    [InlineData("SCRAM-SHA-1-PLUS", true)]
    [InlineData("SCRAM-SHA-1", false)]
    [InlineData("PLAIN", true)]
    [InlineData("LOGIN", true)]
    [InlineData("CRAM-MD5", false)]
    public async Task Gsasl_logs_in_by_every_mechanism(string mechanism, bool tls)
    {
        var account = await server.NewAccountAsync();
        (await server.Server.RunAsync("account", "password", account, "--password", Password)).ExitCode.ShouldBe(0);
        if (mechanism == "CRAM-MD5")
        {
            var enabled = await server.Server.RunAsync("account", "enable-apop", account, "--password", Password);
            enabled.ExitCode.ShouldBe(0, enabled.Error);
        }

        foreach (var typed in Typed)
        {
            var (status, output, error) = await LogInAsync(account, mechanism, typed, tls);
            status.ShouldBe(0, output + error);
            output.ShouldContain("Logged in");
        }

        (await LogInAsync(account, mechanism, "cle 1/2", tls)).Status.ShouldNotBe(0);
    }

    private async Task<(int Status, string Output, string Error)> LogInAsync(string account, string mechanism, string password, bool tls)
    {
        List<string> arguments =
        [
            "--imap", "--connect", server["imap"].ToString(), "--mechanism", mechanism, "--authentication-id", account,
            "--authorization-id", "", "--password", password, "--no-client-first", "--verbose",
            .. tls ? (string[])["--starttls", "--x509-ca-file", Path.Combine(server.Server.DataFolder, "tls", "self-signed.pem")] : ["--no-starttls"],
        ];
        using var home = new TempFolder();
        var (status, output, error) = await ClientProgram.TryRunAsync("gsasl", arguments, home: home.Path);
        return (status, System.Text.Encoding.UTF8.GetString(output), error);
    }
}
