using EventMail.Testing;

namespace EventMail.EndToEnd;

/// <summary>Two servers, two processes, one database.</summary>
public sealed class TwoNodes : IAsyncLifetime
{
    private readonly TempFolder _contents = new();
    private TestDatabase? _database;
    private TestServer? _one;
    private TestServer? _two;

    public TestServer One => _one!;

    public TestServer Two => _two!;

    public async Task InitializeAsync()
    {
        _database = await TestDatabase.CreateAsync();
        _one = await StartAsync();
        _two = await StartAsync();
    }

    public async Task DisposeAsync()
    {
        foreach (var part in new IAsyncDisposable?[] { _one, _two, _database })
        {
            if (part is not null)
            {
                await part.DisposeAsync();
            }
        }

        _contents.Dispose();
    }

    private Task<TestServer> StartAsync() => TestServer.StartAsync(new()
    {
        ConnectionString = _database!.ConnectionString,
        Settings = [.. MailServer.Settings, $"Content:Folder={_contents.Path}", $"Keys:Folder={_database.Keys.Folder}"],
    });
}
