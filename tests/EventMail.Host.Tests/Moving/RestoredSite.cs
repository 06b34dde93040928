using EventMail.Testing;

namespace EventMail.Host.Tests.Moving;

/// <summary>A place for a backup to be restored to.</summary>
internal sealed class RestoredSite : IAsyncDisposable
{
    private readonly TestFolder _folder = new();

    private RestoredSite(TestDatabase database) => Database = database;

    public TestDatabase Database { get; }

    public string DataFolder => _folder.Path;

    public static async Task<RestoredSite> CreateAsync() => new(await TestDatabase.CreateAsync());

    public Task<CommandResult> RunAsync(params string[] arguments) => TestCommand.RunAsync(
        [.. arguments, "--data", DataFolder, "--set", $"Database:ConnectionString={Database.ConnectionString}"]);

    /// <summary>The wrapping keys are in no backup.</summary>
    public void TakeKeys(string dataFolder)
    {
        var keys = Directory.CreateDirectory(Path.Combine(DataFolder, "keys"));
        foreach (var file in Directory.EnumerateFiles(Path.Combine(dataFolder, "keys"), "*.key"))
            File.Copy(file, Path.Combine(keys.FullName, Path.GetFileName(file)), overwrite: true);
    }

    public async Task<string> DoAsync(params string[] arguments)
    {
        var result = await RunAsync(arguments);
        result.ExitCode.ShouldBe(0, result.Output + result.Error);
        return result.Output;
    }

    public async ValueTask DisposeAsync()
    {
        await Database.DisposeAsync();
        _folder.Dispose();
    }

    /// <summary>All that a backup keeps, as text.</summary>
    public static async Task<string[]> TruthAsync(TestDatabase database, long until = long.MaxValue) =>
    [
        .. await LinesAsync(database, $"select to_jsonb(e)::text from public.mt_events e where seq_id <= {until} order by seq_id"),
        .. await LinesAsync(database, $"""
            select to_jsonb(s)::text from public.mt_streams s where exists
            (select from public.mt_events e where e.tenant_id = s.tenant_id and e.stream_id = s.id and seq_id <= {until}) and {until} = {long.MaxValue} order by id
            """),
    ];

    public static async Task<string[]> LinesAsync(TestDatabase database, string sql)
    {
        await using var command = database.DataSource.CreateCommand(sql);
        await using var reader = await command.ExecuteReaderAsync();
        var lines = new List<string>();
        while (await reader.ReadAsync())
            lines.Add(reader.GetValue(0).ToString()!);
        return [.. lines];
    }
}
