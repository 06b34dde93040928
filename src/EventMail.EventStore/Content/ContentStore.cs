using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace EventMail.EventStore;

/// <summary>Contents, once per SHA-256 digest: small ones in eventmail.content, large ones in files. Thread-safe.</summary>
public sealed class ContentStore : IAsyncDisposable
{
    private const int RecentFiles = 10_000;
    private const int FileReference = SHA256.HashSizeInBytes + sizeof(long);

    private readonly NpgsqlDataSource _source;
    private readonly RecentContents _recent;

    // Of contents in files: digest and size, so that reading one again asks the database for nothing.
    private readonly RecentContents _recentFiles = new(RecentFiles * FileReference);
    // Of contents that passed by in a long row, as when a mailbox is downloaded, only those that come again are kept. Numbers run
    // on, so neighbours do not push each other out.
    private readonly long[] _passed = new long[1 << 16];

    private readonly ContentOrphans _orphans;

    internal ContentStore(NpgsqlDataSource source, string dataFolder, ContentOptions options, ILogger log)
    {
        _source = source;
        Options = options;
        Files = new(options.Folder ?? Path.Combine(dataFolder, "content"), isOurs: options.Folder is null);
        Numbers = new(source);
        _recent = new(options.RecentBytes);
        _orphans = new(source, Files, options, log);
    }

    internal ContentOptions Options { get; }
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

    internal static StagedContent Stage(long number, byte[] bytes, bool mayExist) =>
        new(number, SHA256.HashData(bytes), bytes.Length, bytes, null, mayExist);

    /// <summary>A content of this node's last commits or reads, without waiting.</summary>
    public bool TryGetRecent(long number, out ReadOnlyMemory<byte> bytes) => _recent.TryGet(number, out bytes);

    /// <exception cref="ContentMissingException">There is no such content.</exception>
    public async ValueTask<Content> ReadAsync(long number, CancellationToken cancel = default)
    {
        if (_recent.TryGet(number, out var recent))
            return new(number, recent);
        if (TryGetRecentFile(number, out var recentDigest, out var recentSize))
            return await OpenFileAsync(number, recentDigest, recentSize, cancel);
        await using var command = _source.CreateCommand("select digest, size, data from eventmail.content where number = $1");
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = number });
        await using var reader = await command.ExecuteReaderAsync(cancel);
        if (!await reader.ReadAsync(cancel))
            throw new ContentMissingException(number);
        if (reader.IsDBNull(2))
        {
            var (digest, size) = (reader.GetFieldValue<byte[]>(0), reader.GetInt64(1));
            RememberFile(number, digest, size);
            return await OpenFileAsync(number, digest, size, cancel);
        }
        var bytes = reader.GetFieldValue<byte[]>(2);
        _recent.Add(number, bytes);
        return new(number, bytes);
    }

    /// <summary>It would be read without asking the database.</summary>
    public bool IsRecent(long number) => _recent.TryGet(number, out _) || _recentFiles.TryGet(number, out _);

    /// <summary>Octets: a larger content lies in a file and is not kept in memory.</summary>
    public long MaxRecentSize => Options.FileThreshold;

    /// <summary>Reads contents that will be asked for next into memory, with one statement; those that are missing are left out.</summary>
    public async Task PrefetchAsync(IReadOnlyList<long> numbers, CancellationToken cancel = default)
    {
        await using var command = _source.CreateCommand("select number, digest, size, data from eventmail.content where number = any($1)");
        command.Parameters.Add(new NpgsqlParameter<long[]> { TypedValue = [.. numbers] });
        await using var reader = await command.ExecuteReaderAsync(cancel);
        while (await reader.ReadAsync(cancel))
        {
            if (reader.IsDBNull(3))
                RememberFile(reader.GetInt64(0), reader.GetFieldValue<byte[]>(1), reader.GetInt64(2));
            else
                _recent.Add(reader.GetInt64(0), reader.GetFieldValue<byte[]>(3));
        }
    }

    /// <summary>The digest and size of a content that lies in a file, without waiting.</summary>
    internal bool TryGetRecentFile(long number, [MaybeNullWhen(false)] out byte[] digest, out long size)
    {
        if (!_recentFiles.TryGet(number, out var reference))
        {
            (digest, size) = (null, 0);
            return false;
        }
        digest = reference[..SHA256.HashSizeInBytes].ToArray();
        size = BinaryPrimitives.ReadInt64LittleEndian(reference.Span[SHA256.HashSizeInBytes..]);
        return true;
    }

    internal void RememberFile(long number, byte[] digest, long size)
    {
        var reference = new byte[FileReference];
        digest.CopyTo(reference, 0);
        BinaryPrimitives.WriteInt64LittleEndian(reference.AsSpan(digest.Length), size);
        _recentFiles.Add(number, reference);
    }

    /// <summary>
    /// Reads many in the order given, each to be disposed before the next is asked for. Memory stays bounded, and no connection is
    /// held while the caller has one of them: it may take as long as it likes.
    /// </summary>
    /// <param name="sizes">Theirs, in octets: how many are read at once depends on them.</param>
    /// <param name="keep">What is read for the second time stays in memory: not for who goes through whole mailboxes.</param>
    /// <exception cref="ContentMissingException">One of them is missing.</exception>
    public async IAsyncEnumerable<Content> ReadManyAsync(
        IReadOnlyList<long> numbers, IReadOnlyList<long> sizes, bool keep = true, [EnumeratorCancellation] CancellationToken cancel = default)
    {
        var at = 0;
        while (at < numbers.Count)
        {
            var window = ContentWindow.Take(numbers, sizes, ref at, this);
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

    internal async ValueTask<Content> OpenFileAsync(long number, byte[] digest, long size, CancellationToken cancel)
    {
        var path = Files.PathOf(digest);
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                return new(number, size, ContentFiles.Open(path), path);
            }
            catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
            {
                // The orphans' pass may have it in its hand for a moment (ContentOrphans).
                if (attempt == 3)
                    throw new ContentMissingException(number);
                await Task.Delay(10 << attempt, cancel);
            }
        }
    }

    internal void Start() => _orphans.Start();

    public ValueTask DisposeAsync() => _orphans.DisposeAsync();
}
