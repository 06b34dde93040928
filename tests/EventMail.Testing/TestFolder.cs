namespace EventMail.Testing;

/// <summary>A temporary data folder; whatever server or PostgreSQL still runs in it at the end is ended, and the folder deleted.</summary>
public sealed class TestFolder : IDisposable
{
    private readonly IDisposable _watchdog;

    public TestFolder() => _watchdog = Watchdog.Guard(Path);

    /// <summary>Not made yet.</summary>
    public string Path { get; } = Watchdog.NewFolder();

    public void Dispose() => _watchdog.Dispose();
}
