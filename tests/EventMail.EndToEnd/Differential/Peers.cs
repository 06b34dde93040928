namespace EventMail.EndToEnd.Differential;

/// <summary>Our server and Dovecot, for a class of tests.</summary>
public sealed class Peers : IAsyncLifetime
{
    private readonly MailServer _ours = new();
    private Dovecot? _theirs;

    public async Task InitializeAsync()
    {
        // Where the tests are skipped nothing is started.
        if (File.Exists(Dovecot.Program))
        {
            _theirs = new();
            await _ours.InitializeAsync();
        }
    }

    public async Task DisposeAsync()
    {
        await _ours.DisposeAsync();
        _theirs?.Dispose();
    }

    /// <summary>A new account at both.</summary>
    internal async Task<PeerAccount> NewAccountAsync() => new(await _ours.NewAccountAsync(), _ours["imap"], _theirs!.NewAccount(), _theirs!);
}

/// <summary>The same account at both servers.</summary>
internal sealed record PeerAccount(string Address, System.Net.IPEndPoint Ours, string Home, Dovecot Theirs)
{
    public async Task<PeerSession> OpenAsync() => new(await DifferentialSession.LoginAsync(Ours, Address), await Theirs.OpenAsync(Home));
}

/// <summary>A session with each, told the same.</summary>
internal sealed record PeerSession(DifferentialSession Ours, DifferentialSession Theirs) : IAsyncDisposable
{
    public async Task<(Answer Ours, Answer Theirs)> RunAsync(string command, string? theirCommand = null)
    {
        var ours = Ours.RunAsync(command);
        var theirs = Theirs.RunAsync(theirCommand ?? command);
        await Task.WhenAll(ours, theirs);
        return (await ours, await theirs);
    }

    public async ValueTask DisposeAsync()
    {
        await Ours.DisposeAsync();
        await Theirs.DisposeAsync();
    }
}
