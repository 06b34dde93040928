using Microsoft.Extensions.Logging;
using Npgsql;

namespace EventMail.EventStore;

/// <summary>
/// Deletes files that no row refers to: what a crash left in content/tmp, and contents whose command was refused. A file is taken
/// out of its place first and put back if it turns out to be wanted, so that a writer who brings the same bytes at that moment
/// (the rename gives it a new file) cannot lose them.
/// </summary>
internal sealed class ContentOrphans(NpgsqlDataSource source, ContentFiles files, ContentOptions options, ILogger log) : IAsyncDisposable
{
    /// <summary>Files looked at in one pass; the next pass goes on where this one stopped.</summary>
    private const int MaxFiles = 20_000;

    private const int PageSize = 500;

    private const string TakenPrefix = "orphan-";

    // What a file's name begins with: the digest in hexadecimal.
    private const int DigestLength = 64;

    private readonly CancellationTokenSource _stop = new();
    private Task _running = Task.CompletedTask;
    private string _after = "";

    public void Start() => _running = Task.Run(RunAsync);

    private async Task RunAsync()
    {
        try
        {
            using var timer = new PeriodicTimer(options.OrphanInterval);
            while (await timer.WaitForNextTickAsync(_stop.Token))
            {
                try
                {
                    var deleted = await CollectAsync(DateTime.UtcNow, _stop.Token);
                    if (deleted > 0)
                        log.OrphansDeleted(deleted);
                }
                catch (Exception e) when (e is NpgsqlException or IOException or UnauthorizedAccessException)
                {
                    log.OrphansFailed(e);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // Stopped.
        }
    }

    /// <summary>One pass; answers how many files it deleted.</summary>
    public async Task<int> CollectAsync(DateTime now, CancellationToken cancel)
    {
        var deleted = 0;
        var limit = now - options.OrphanAge;
        var taken = new List<string>();
        foreach (var path in Directory.EnumerateFiles(files.Temporary))
        {
            if (Path.GetFileName(path).StartsWith(TakenPrefix, StringComparison.Ordinal))
            {
                taken.Add(path); // a pass ended with it in its hand
            }
            else if (File.GetLastWriteTimeUtc(path) < limit)
            {
                File.Delete(path);
                deleted++;
            }
        }
        deleted += await DeleteOrPutBackAsync(taken, limit, cancel);
        var seen = 0;
        foreach (var page in OldFiles(limit).Chunk(PageSize))
        {
            deleted += await DeleteUnreferencedAsync(page, limit, cancel);
            if ((seen += page.Length) >= MaxFiles)
                return deleted;
        }
        _after = "";
        return deleted;
    }

    private IEnumerable<string> OldFiles(DateTime limit)
    {
        foreach (var first in Directory.EnumerateDirectories(files.Root).Order(StringComparer.Ordinal))
            if (first != files.Temporary)
                foreach (var second in Directory.EnumerateDirectories(first).Order(StringComparer.Ordinal))
                {
                    if (string.CompareOrdinal(second, _after) <= 0)
                        continue;
                    foreach (var path in Directory.EnumerateFiles(second))
                        if (File.GetLastWriteTimeUtc(path) < limit && Path.GetFileName(path).Length >= DigestLength)
                            yield return path;
                    _after = second;
                }
    }

    private async Task<int> DeleteUnreferencedAsync(string[] paths, DateTime limit, CancellationToken cancel)
    {
        var unreferenced = await UnreferencedAsync(paths, cancel);
        if (unreferenced.Count == 0)
            return 0;
        var taken = new List<string>();
        foreach (var path in unreferenced)
        {
            var trash = Path.Combine(files.Temporary, TakenPrefix + Path.GetFileName(path));
            if (TryMove(path, trash))
                taken.Add(trash);
        }
        return await DeleteOrPutBackAsync(taken, limit, cancel);
    }

    // Anything committed until now refers to what was just taken; anything later brings a file of its own.
    private async Task<int> DeleteOrPutBackAsync(List<string> taken, DateTime limit, CancellationToken cancel)
    {
        if (taken.Count == 0)
            return 0;
        var unreferenced = (await UnreferencedAsync(taken, cancel)).ToHashSet();
        var deleted = 0;
        foreach (var trash in taken)
        {
            if (unreferenced.Contains(trash) && File.GetLastWriteTimeUtc(trash) < limit)
            {
                File.Delete(trash);
                deleted++;
            }
            else
            {
                TryMove(trash, files.PathOf(NameOf(trash)));
            }
        }
        return deleted;
    }

    // False when another node, which collects at the same time, has it in its hand.
    private static bool TryMove(string from, string to)
    {
        try
        {
            File.Move(from, to, overwrite: true);
            return true;
        }
        catch (FileNotFoundException)
        {
            return false;
        }
    }

    // Without what it is called while it is taken.
    private static string NameOf(string path)
    {
        var name = Path.GetFileName(path);
        return name.StartsWith(TakenPrefix, StringComparison.Ordinal) ? name[TakenPrefix.Length..] : name;
    }

    private async Task<List<string>> UnreferencedAsync(IReadOnlyList<string> paths, CancellationToken cancel)
    {
        var byName = paths.ToDictionary(NameOf, StringComparer.Ordinal);
        await using var command = source.CreateCommand("""
            select encode(digest, 'hex') || case when kek is null then '' else '-' || number end
            from (select * from eventmail.content where digest = any($1) and not moved
              union all select * from eventmail.content where digest = any($1) and moved) stored
            where data is null
            """);
        command.Parameters.Add(new() { Value = byName.Keys.Select(name => Convert.FromHexString(name.AsSpan(0, DigestLength))).ToArray() });
        await using var reader = await command.ExecuteReaderAsync(cancel);
        while (await reader.ReadAsync(cancel))
            byName.Remove(reader.GetString(0));
        return [.. byName.Values];
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        _stop.Dispose();
    }
}
