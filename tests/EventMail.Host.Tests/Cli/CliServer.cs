using EventMail.Testing;

namespace EventMail.Host.Tests.Cli;

/// <summary>A server for a class of tests of the commands beside it.</summary>
public sealed class CliServer : IAsyncLifetime
{
    public const string Password = "correct horse battery";

    public static readonly string[] Settings =
        ["Auth:AllowPlaintextOnLoopback=true", "Auth:Argon2:Memory=8192KB", "Auth:Argon2:Iterations=1", "Auth:ScramIterations=4096"];

    public TestServer Server { get; private set; } = null!;

    public async Task InitializeAsync() => Server = await TestServer.StartAsync(new() { Settings = Settings });

    public async Task DisposeAsync() => await Server.DisposeAsync();

    /// <summary>Must succeed.</summary>
    /// <returns>Standard output without its last line end.</returns>
    public async Task<string> DoAsync(params string[] arguments)
    {
        var result = await Server.RunAsync(arguments);
        result.ExitCode.ShouldBe(0, result.Error);
        return result.Output.TrimEnd('\n');
    }

    /// <summary>Must fail, with one line on standard error.</summary>
    public async Task<string> FailAsync(int exitCode, params string[] arguments)
    {
        var result = await Server.RunAsync(arguments);
        result.ExitCode.ShouldBe(exitCode, result.Output + result.Error);
        result.Output.ShouldBeEmpty();
        // Above it may stand that the test's PostgreSQL runs without fsync.
        return result.Error.TrimEnd('\n').Split('\n')[^1];
    }

    /// <summary>The POP3 server's answer to a password.</summary>
    public async Task<string> LogInAsync(string user, string password)
    {
        await using var client = await EventMail.Testing.Transcripts.ScriptedClient.ConnectAsync(Server["pop3"]);
        await client.ReadLineAsync();
        await client.AskAsync($"USER {user}");
        return (await client.AskAsync($"PASS {password}"))!;
    }

    /// <summary>The SMTP server's answer to a recipient.</summary>
    public async Task<string> RecipientAsync(string address)
    {
        await using var client = await EventMail.Testing.Transcripts.ScriptedClient.ConnectAsync(Server["smtp"]);
        await client.ReadLineAsync();
        await client.AskAsync("HELO client.example.org");
        await client.AskAsync("MAIL FROM:<sender@example.org>");
        return (await client.AskAsync($"RCPT TO:<{address}>"))!;
    }
}
