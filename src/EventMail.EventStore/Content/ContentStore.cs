using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace EventMail.EventStore;

/// <summary>Contents, once per SHA-256 digest: small ones in eventmail.content, large ones in files. Thread-safe.</summary>
public sealed class ContentStore : IAsyncDisposable
{
    private const int RecentFiles = 10_000;

    private readonly NpgsqlDataSource _source;
    private readonly ILogger _log;
    private readonly RecentContents _recent;

    // Of contents in files: digest, size and key, so that reading one again asks the database for nothing.
    private readonly RecentContents _recentFiles = new(RecentFiles * ContentFile.MaxBytes);
    // Of contents that passed by in a long row, as when a mailbox is downloaded, only those that come again are kept. Numbers run
    // on, so neighbours do not push each other out.
    private readonly long[] _passed = new long[1 << 16];

    // The wrapping keys whose absence was told.
    private readonly ConcurrentDictionary<long, bool> _locked = new();

    private readonly ContentOrphans _orphans;

    internal ContentStore(NpgsqlDataSource source, EventLogOptions options, KeyRing keys, ILogger log)
    {
        _source = source;
        _log = log;
        Options = options.Content;
        Keys = new(keys, options.Keys.EncryptContents);
        Files = new(Options.Folder ?? Path.Combine(options.DataFolder, "content"), isOurs: Options.Folder is null);
        Numbers = new(source);
        _recent = new(Options.RecentBytes);
        _orphans = new(source, Files, Options, log);
    }

    internal ContentOptions Options { get; }
    internal ContentKeys Keys { get; }
    internal ContentFiles Files { get; }
    internal ContentNumbers Numbers { get; }
    internal ContentBuffers Buffers { get; } = new();
    internal ContentOrphans Orphans => _orphans;

    public ContentWriter Begin() => new(this);

    /// <summary>Stages bytes that are in memory already. They are copied.</summary>
    public async ValueTask<StagedContent> StageAsync(
        ReadOnlyMemory<byte> bytes, bool mayExist = false, CancellationToken cancel = default)
    {
        if (bytes.Length <= Options.FileThreshold)
            return Stage(await Numbers.NextAsync(cancel), bytes.ToArray(), mayExist);
        await using var writer = Begin();
        await writer.WriteAsync(bytes, cancel);
        return await writer.CompleteAsync(mayExist, cancel);
    }

    internal StagedContent Stage(long number, byte[] bytes, bool mayExist)
    {
        var digest = SHA256.HashData(bytes);
        if (!Keys.Encrypts)
            return new(number, digest, bytes, mayExist, bytes, null);
        Span<byte> key = stackalloc byte[KeyRing.KeyBytes];
        RandomNumberGenerator.Fill(key);
        return new(number, digest, bytes, mayExist, SealedRow.Seal(bytes, key), Keys.Wrap(number, key));
    }

    internal StagedContent Stage(ContentFile file, bool mayExist) =>
        new(file, Files.PathOf(file), mayExist, file.Key is null ? null : Keys.Wrap(file.Number, file.Key));

    /// <summary>Reads a content that is staged here, stored or not.</summary>
    public ValueTask<Content> OpenAsync(StagedContent staged, CancellationToken cancel = default) =>
        staged.File is { } file ? OpenFileAsync(file, cancel) : new(new Content(staged.Number, staged.Bytes));

    /// <summary>A content of this node's last commits or reads, without waiting.</summary>
    public bool TryGetRecent(long number, out ReadOnlyMemory<byte> bytes) => _recent.TryGet(number, out bytes);

    /// <exception cref="ContentUnreadableException">There is no such content, or it cannot be read.</exception>
    public async ValueTask<Content> ReadAsync(long number, CancellationToken cancel = default)
    {
        if (_recent.TryGet(number, out var recent))
            return new(number, recent);
        if (TryGetRecentFile(number) is { } recentFile)
            return await OpenFileAsync(recentFile, cancel);
        return await ReadStoredAsync(number, cancel);
    }

    /// <summary>By its row, whatever of it is in memory.</summary>
    internal async ValueTask<Content> ReadStoredAsync(long number, CancellationToken cancel)
    {
        var (row, data) = await FindAsync(number, cancel) ?? throw new ContentMissingException(number);
        try
        {
            if (data is null)
                return await OpenFileAsync(FileOf(row), cancel);
            var bytes = Open(row, data);
            _recent.Add(number, bytes);
            return new(number, bytes);
        }
        catch (WrappingKeyMissingException e)
        {
            throw await LockedAsync(number, e, cancel);
        }
    }

    private async Task<(ContentRow Row, byte[]? Data)?> FindAsync(long number, CancellationToken cancel)
    {
        await using var command = _source.CreateCommand($"select {ContentRow.Columns}, c.data from eventmail.content c where c.number = $1");
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = number });
        await using var reader = await command.ExecuteReaderAsync(cancel);
        if (!await reader.ReadAsync(cancel))
            return null;
        var row = ContentRow.Of(reader);
        return (row, row.IsFile ? null : reader.GetFieldValue<byte[]>(ContentRow.Data));
    }

    private async Task<ContentLockedException> LockedAsync(long number, WrappingKeyMissingException fault, CancellationToken cancel)
    {
        await using var command = _source.CreateCommand("select count(*) from eventmail.content where kek = $1");
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = fault.WrappingKey });
        var error = new ContentLockedException(number, fault, (long)(await command.ExecuteScalarAsync(cancel))!);
        if (_locked.TryAdd(fault.WrappingKey, true))
            _log.ContentsLocked(error);
        return error;
    }

    /// <summary>It would be read without asking the database.</summary>
    public bool IsRecent(long number) => _recent.TryGet(number, out _) || _recentFiles.TryGet(number, out _);

    /// <summary>Octets: a larger content lies in a file and is not kept in memory.</summary>
    public long MaxRecentSize => Options.FileThreshold;

    /// <summary>Reads contents that will be asked for next into memory, with one statement; those that cannot be read are left out.</summary>
    public async Task PrefetchAsync(IReadOnlyList<long> numbers, CancellationToken cancel = default)
    {
        await using var command = _source.CreateCommand($"select {ContentRow.Columns}, c.data from eventmail.content c where c.number = any($1)");
        command.Parameters.Add(new NpgsqlParameter<long[]> { TypedValue = [.. numbers] });
        await using var reader = await command.ExecuteReaderAsync(cancel);
        while (await reader.ReadAsync(cancel))
        {
            var row = ContentRow.Of(reader);
            try
            {
                if (row.IsFile)
                    FileOf(row);
                else
                    _recent.Add(row.Number, Open(row, reader.GetFieldValue<byte[]>(ContentRow.Data)));
            }
            catch (Exception e) when (e is WrappingKeyMissingException or ContentDamagedException)
            {
                // Who asks for it is told.
            }
        }
    }

    /// <summary>A content that lies in a file, without waiting; null when it is not remembered.</summary>
    internal ContentFile? TryGetRecentFile(long number) =>
        _recentFiles.TryGet(number, out var file) ? ContentFile.Of(number, file.Span) : null;

    /// <exception cref="ContentDamagedException">Its key is not the one that was written.</exception>
    /// <exception cref="WrappingKeyMissingException">Its key cannot be unwrapped.</exception>
    internal ContentFile FileOf(ContentRow row)
    {
        byte[]? key = null;
        if (row.Key is { } wrapped)
            Keys.Unwrap(row.Number, wrapped, key = new byte[KeyRing.KeyBytes]);
        var file = new ContentFile(row.Number, row.Digest, row.Size, key);
        _recentFiles.Add(row.Number, file.ToBytes());
        return file;
    }

    /// <summary>Where the file of a content is, if it lies in one.</summary>
    public string PathOf(ReadOnlySpan<byte> digest, long number, bool encrypted) =>
        Files.PathOf(encrypted ? ContentFileNames.Encrypted(digest, number) : ContentFileNames.Plain(digest));

    /// <summary>Drops it from memory: it is read by its row again, if that is still there.</summary>
    public void Forget(long number)
    {
        _recent.Remove(number);
        _recentFiles.Remove(number);
    }

    // The array itself where it is plain.
    private byte[] Open(ContentRow row, byte[] data)
    {
        if (row.Key is null)
            return data;
        var bytes = GC.AllocateUninitializedArray<byte>(checked((int)row.Size));
        Open(row, data, bytes);
        return bytes;
    }

    /// <summary>Decrypts what an encrypted content's row holds.</summary>
    /// <exception cref="ContentDamagedException">It is not what was written.</exception>
    /// <exception cref="WrappingKeyMissingException">Its key cannot be unwrapped.</exception>
    internal void Open(ContentRow row, ReadOnlySpan<byte> data, Span<byte> bytes)
    {
        Span<byte> key = stackalloc byte[KeyRing.KeyBytes];
        Keys.Unwrap(row.Number, row.Key!.Value, key);
        if (!SealedRow.TryOpen(data, key, bytes))
            throw new ContentDamagedException(row.Number);
    }

    /// <summary>
    /// Reads many in the order given, each to be disposed before the next is asked for. Memory stays bounded, and no connection is
    /// held while the caller has one of them: it may take as long as it likes.
    /// </summary>
    /// <param name="sizes">Theirs, in octets: how many are read at once depends on them.</param>
    /// <param name="keep">What is read for the second time stays in memory: not for who goes through whole mailboxes.</param>
    /// <param name="stored">What is in memory does not count: for who asks whether what is stored is right.</param>
    /// <exception cref="ContentUnreadableException">One of them is missing, or cannot be read.</exception>
    public async IAsyncEnumerable<Content> ReadManyAsync(
        IReadOnlyList<long> numbers, IReadOnlyList<long> sizes, bool keep = true, bool stored = false, [EnumeratorCancellation] CancellationToken cancel = default)
    {
        var at = 0;
        while (at < numbers.Count)
        {
            var window = ContentWindow.Take(numbers, sizes, stored, ref at, this);
            await foreach (var content in window.ReadAsync(_source, keep, cancel))
                yield return content;
        }
    }

    /// <summary>The SHA-256 of a content (32 bytes).</summary>
    /// <exception cref="ContentMissingException">There is no such content.</exception>
    public async ValueTask<byte[]> DigestAsync(long number, CancellationToken cancel = default)
    {
        await using var command = _source.CreateCommand("select digest from eventmail.content where number = $1");
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = number });
        return (byte[]?)await command.ExecuteScalarAsync(cancel) ?? throw new ContentMissingException(number);
    }

    /// <summary>What a commit has made durable is likely to be read next.</summary>
    internal void Remember(StagedContent content)
    {
        if (content.Path is null)
            _recent.Add(content.Number, content.Bytes);
    }

    /// <summary>A content passes by: true when it did so before, not long ago.</summary>
    internal bool ComesAgain(long number) => Interlocked.Exchange(ref _passed[number & (_passed.Length - 1)], number) == number;

    internal void Remember(long number, byte[] bytes) => _recent.Add(number, bytes);

    /// <summary>Deletes what a commit made needless: the file of bytes that another had stored before.</summary>
    internal void DropNeedless(StagedContent content)
    {
        if (content.NeedlessFile is not { } path)
            return;
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _log.FileNotDeleted(e, path); // the orphans' pass finds it
        }
    }

    internal async ValueTask<Content> OpenFileAsync(ContentFile file, CancellationToken cancel)
    {
        for (var attempt = 0; ; attempt++)
        {
            var path = Files.PathOf(file);
            try
            {
                return new(file, ContentFiles.Open(path), path, Buffers);
            }
            catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
            {
                // The orphans' pass may have it in its hand for a moment (ContentOrphans), or it was encrypted since it was remembered.
                if (attempt == 3)
                    throw new ContentMissingException(file.Number);
                await Task.Delay(10 << attempt, cancel);
                _recentFiles.Remove(file.Number);
                if (await FindAsync(file.Number, cancel) is { Row: { IsFile: true } row })
                    file = FileOf(row);
            }
        }
    }

    internal void Start() => _orphans.Start();

    public ValueTask DisposeAsync() => _orphans.DisposeAsync();
}
