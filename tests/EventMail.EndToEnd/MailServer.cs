using System.Net;
using EventMail.Testing;
using EventMail.Testing.Transcripts;

namespace EventMail.EndToEnd;

/// <summary>One real server for a class of tests; each test makes accounts of its own.</summary>
public sealed class MailServer : IAsyncLifetime
{
    public const string Password = "correct horse battery";

    private static int s_accounts;

    private TestServer? _server;

    public TestServer Server => _server ?? throw new InvalidOperationException("The server has not been started.");

    public async Task InitializeAsync() => _server = await TestServer.StartAsync(new() { Settings = Settings });

    /// <summary>What the tests' servers have set: clients of this machine may send passwords as they are.</summary>
    public static IReadOnlyList<string> Settings { get; } = ["Auth:AllowPlaintextOnLoopback=true", "Auth:Argon2:Memory=8192KB", "Auth:Argon2:Iterations=1"];

    public async Task DisposeAsync()
    {
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }
    }

    /// <summary>Opens an account and answers its address.</summary>
    public Task<string> NewAccountAsync() => NewAccountAsync(Server);

    public static async Task<string> NewAccountAsync(TestServer server)
    {
        var address = $"user{Interlocked.Increment(ref s_accounts)}@example.test";
        var added = await server.RunAsync("account", "add", address, "--password", Password);
        added.ExitCode.ShouldBe(0, added.Error);
        return address;
    }

    public Task<ScriptedClient> ConnectAsync(string listener) => ScriptedClient.ConnectAsync(Server[listener]);

    public IPEndPoint this[string listener] => Server[listener];
}
