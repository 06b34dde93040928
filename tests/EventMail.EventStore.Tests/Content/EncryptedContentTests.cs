using System.Text;

namespace EventMail.EventStore.Tests.Contents;

/// <summary>What lies in the database and in files, and what becomes of it when somebody changes it there.</summary>
public sealed class EncryptedContentTests(EncryptedContentTests.Nodes nodes) : IClassFixture<EncryptedContentTests.Nodes>
{
    private const int Threshold = 1000;

    public sealed class Nodes : IAsyncLifetime
    {
        public TestLog Log { get; private set; } = null!;

        /// <summary>Another process, which does not remember what it did not write.</summary>
        public EventLog Reader { get; private set; } = null!;

        public async Task InitializeAsync()
        {
            Log = await TestLog.OpenAsync(Configure);
            Reader = await Log.AddNodeAsync(Configure);
        }

        public async Task DisposeAsync() => await Log.DisposeAsync();
    }

    // Each test has bytes of its own: those of another would be stored already.
    private readonly string _text = string.Concat(Enumerable.Repeat($"A letter, {Guid.NewGuid()}.\r\n", 10));
    private readonly TestLog _log = nodes.Log;

    private static EventLogOptions Configure(EventLogOptions options) =>
        options with { Content = new() { FileThreshold = Threshold, RecentBytes = 0 } };

    private static EventLogOptions Plain(EventLogOptions options) => Configure(options) with { Keys = new() { EncryptContents = false } };

    private byte[] Bytes(int size) => Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat(_text, 1 + size / _text.Length))[..size]);

    private async Task<long> StoreAsync(byte[] bytes, EventLog? node = null)
    {
        node ??= _log.Node;
        var staged = await node.Contents.StageAsync(bytes);
        var stream = Counters.New();
        return (long)(await node.Executor.ExecuteAsync(new Act(stream, d =>
        {
            d.Append(stream.Key, new CounterNamed(Guid.NewGuid().ToString(), "content"));
            d.Store(staged);
            d.Result = staged.Number;
        }, staged), default)).Result!;
    }

    private async Task<byte[]> ReadAsync(long number, EventLog? node = null)
    {
        node ??= nodes.Reader;
        node.Contents.Forget(number);
        await using var content = await node.Contents.ReadAsync(number);
        var bytes = new byte[content.Size];
        (await content.ReadAtAsync(0, bytes)).ShouldBe(bytes.Length);
        return bytes;
    }

    private string[] FilesOf(params long[] numbers) =>
        [.. numbers.SelectMany(number => Directory.GetFiles(_log.Node.Contents.Files.Root, $"*-{number}", SearchOption.AllDirectories))];

    [Fact]
    public async Task What_lies_in_the_database_and_on_disk_tells_nothing()
    {
        var (row, file) = (await StoreAsync(Bytes(Threshold)), await StoreAsync(Bytes(200_000)));
        var data = await _log.ScalarAsync<byte[]>("select data from eventmail.content where number = $1", row);
        data.Length.ShouldBeLessThan(Threshold / 2); // compressed before
        data.AsSpan().IndexOf("letter"u8).ShouldBe(-1);
        var octets = await File.ReadAllBytesAsync(FilesOf(file).ShouldHaveSingleItem());
        octets.Length.ShouldBe(200_000 + 4 * SealedChunks.TagBytes);
        octets.AsSpan().IndexOf("letter"u8).ShouldBe(-1);
        (await _log.ScalarAsync<long>("select count(distinct key) from eventmail.content where number = any($1)", new[] { row, file })).ShouldBe(2);
        (await ReadAsync(row)).ShouldBe(Bytes(Threshold));
        (await ReadAsync(file)).ShouldBe(Bytes(200_000));
    }

    [Fact]
    public async Task A_file_that_has_the_name_already_stays_and_the_content_gets_another_number()
    {
        var bytes = Bytes(200_001);
        var last = await StoreAsync(Bytes(500));
        var taken = _log.Node.Contents.Files.PathOf(ContentFileNames.Encrypted(System.Security.Cryptography.SHA256.HashData(bytes), last + 1));
        Directory.CreateDirectory(Path.GetDirectoryName(taken)!);
        await File.WriteAllTextAsync(taken, "another database's");
        var number = await StoreAsync(bytes);
        number.ShouldBe(last + 2);
        (await ReadAsync(number)).ShouldBe(bytes);
        (await File.ReadAllTextAsync(taken)).ShouldBe("another database's");
    }

    [Fact]
    public async Task What_does_not_compress_takes_its_own_size_and_little_more()
    {
        var bytes = new byte[900];
        new Random(1).NextBytes(bytes);
        var number = await StoreAsync(bytes);
        (await _log.ScalarAsync<int>("select octet_length(data) from eventmail.content where number = $1", number)).ShouldBe(900 + 17);
        (await ReadAsync(number)).ShouldBe(bytes);
    }

    [Theory]
    [InlineData(SealedChunks.PlainBytes)]
    [InlineData(SealedChunks.PlainBytes + 1)]
    [InlineData(2 * SealedChunks.PlainBytes)]
    [InlineData(3 * SealedChunks.PlainBytes - 1)]
    public async Task A_file_is_read_at_any_place_in_any_steps(int size)
    {
        var bytes = new byte[size];
        new Random(size).NextBytes(bytes);
        await using var content = await _log.Node.Contents.ReadAsync(await StoreAsync(bytes));
        var random = new Random(3);
        var buffer = new byte[size + 10];
        for (var i = 0; i < 200; i++)
        {
            var (offset, length) = (random.Next(size + 5), random.Next(i % 3 == 0 ? 50 : size));
            var read = await content.ReadAtAsync(offset, buffer.AsMemory(0, length));
            read.ShouldBe(Math.Clamp(size - offset, 0, length));
            buffer.AsSpan(0, read).SequenceEqual(bytes.AsSpan(Math.Min(offset, size), read)).ShouldBeTrue();
        }
        await using var stream = content.OpenRead();
        foreach (var step in new[] { 1000, 64 * 1024, 81_920, size })
        {
            stream.Seek(0, SeekOrigin.Begin);
            using var copy = new MemoryStream();
            await stream.CopyToAsync(copy, step);
            copy.ToArray().AsSpan().SequenceEqual(bytes).ShouldBeTrue();
        }
        stream.Seek(-7, SeekOrigin.End).ShouldBe(size - 7);
        stream.ReadByte().ShouldBe(bytes[^7]);
    }

    [Fact]
    public async Task Many_readers_of_one_file_do_not_disturb_each_other()
    {
        var bytes = new byte[500_000];
        new Random(8).NextBytes(bytes);
        await using var content = await _log.Node.Contents.ReadAsync(await StoreAsync(bytes));
        await Parallel.ForAsync(0, 200, async (i, cancel) =>
        {
            var buffer = new byte[1 + i * 700];
            var offset = i * 2000;
            var read = await content.ReadAtAsync(offset, buffer, cancel);
            buffer.AsSpan(0, read).SequenceEqual(bytes.AsSpan(offset, read)).ShouldBeTrue();
        });
    }

    public static TheoryData<string> Changes => ["one octet", "cut off at a chunk", "cut off within", "two chunks changed over", "emptied"];

    [Theory]
    [MemberData(nameof(Changes))]
    public async Task A_file_that_somebody_changed_is_not_read(string change)
    {
        var number = await StoreAsync(Bytes(3 * SealedChunks.PlainBytes));
        var path = FilesOf(number).ShouldHaveSingleItem();
        var octets = await File.ReadAllBytesAsync(path);
        const int chunk = SealedChunks.SealedBytes;
        byte[] changed = change switch
        {
            "one octet" => [.. octets[..100], (byte)(octets[100] ^ 1), .. octets[101..]],
            "cut off at a chunk" => octets[..^chunk],
            "cut off within" => octets[..^10],
            "two chunks changed over" => [.. octets[chunk..(2 * chunk)], .. octets[..chunk], .. octets[(2 * chunk)..]],
            _ => [],
        };
        await File.WriteAllBytesAsync(path, changed);
        (await Should.ThrowAsync<ContentDamagedException>(() => ReadAsync(number))).Number.ShouldBe(number);
    }

    [Fact]
    public async Task A_shorter_size_in_the_row_does_not_pass_for_the_whole()
    {
        var number = await StoreAsync(Bytes(2 * SealedChunks.PlainBytes));
        await _log.RunAsync("update eventmail.content set size = $1 where number = $2", (long)SealedChunks.PlainBytes, number);
        await Should.ThrowAsync<ContentDamagedException>(() => ReadAsync(number));
    }

    [Theory]
    [InlineData("data = set_byte(data, 5, get_byte(data, 5) # 1)")]
    [InlineData("data = substr(data, 1, 10)")]
    [InlineData("data = ''")]
    [InlineData("size = size + 1")]
    [InlineData("key = set_byte(key, 20, get_byte(key, 20) # 1)")]
    [InlineData("key = ''")]
    [InlineData("(data, kek, key) = (select data, kek, key from eventmail.content o where o.kek is not null and o.data is not null and o.number <> content.number limit 1)")]
    public async Task A_row_that_somebody_changed_is_not_read_and_harms_no_other(string change)
    {
        var other = await StoreAsync(Bytes(501));
        var number = await StoreAsync(Bytes(500));
        await _log.RunAsync($"update eventmail.content set {change} where number = $1", number);
        (await Should.ThrowAsync<ContentDamagedException>(() => ReadAsync(number))).Number.ShouldBe(number);
        (await ReadAsync(other)).ShouldBe(Bytes(501));
        // Among others: those before it come, and it says so when its turn has come.
        await using var reader = _log.Node.Contents.ReadManyAsync([other, number], [501, 500]).GetAsyncEnumerator();
        (await reader.MoveNextAsync()).ShouldBeTrue();
        await reader.Current.DisposeAsync();
        await Should.ThrowAsync<ContentDamagedException>(async () => await reader.MoveNextAsync());
        await _log.Node.Contents.PrefetchAsync([other, number]);
        _log.Node.Contents.Buffers.Rented.ShouldBe(0);
    }

    [Fact]
    public async Task A_missing_wrapping_key_is_named_with_what_needs_it_and_all_is_well_when_it_is_back()
    {
        var writer = await _log.AddNodeAsync(Configure);
        var (row, file) = (await StoreAsync(Bytes(500), writer), await StoreAsync(Bytes(5000), writer));
        var path = _log.Node.Keys.PathOf(await _log.ScalarAsync<long>("select kek from eventmail.content where number = $1", row));
        var hidden = Path.Combine(_log.Folder, "hidden");
        File.Move(path, hidden);
        foreach (var number in new[] { row, file })
        {
            var error = await Should.ThrowAsync<ContentLockedException>(() => ReadAsync(number));
            error.Message.ShouldContain($"nor can 2 in all: The wrapping key {path} is missing");
        }
        File.Move(hidden, path);
        (await ReadAsync(row)).ShouldBe(Bytes(500));
        (await ReadAsync(file)).ShouldBe(Bytes(5000));
    }

    [Fact]
    public async Task Two_who_bring_the_same_bytes_have_two_keys_and_one_of_them_is_stored()
    {
        var second = nodes.Reader;
        var numbers = new List<long>();
        foreach (var size in new[] { 500, 100_000 })
        {
            var all = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => StoreAsync(Bytes(size), i % 2 == 0 ? _log.Node : second)));
            numbers.Add(all.Distinct().ShouldHaveSingleItem());
            (await ReadAsync(numbers[^1])).ShouldBe(Bytes(size));
        }
        // What was brought in vain is not left lying about.
        var digest = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(Bytes(100_000)));
        Directory.GetFiles(_log.Node.Contents.Files.Root, $"{digest}*", SearchOption.AllDirectories).ShouldBe(FilesOf(numbers[1]));
    }

    [Fact]
    public async Task The_second_is_stored_where_the_first_was_refused()
    {
        foreach (var size in new[] { 500, 5000 })
        {
            var first = await _log.Node.Contents.StageAsync(Bytes(size));
            var second = await _log.Node.Contents.StageAsync(Bytes(size));
            var stream = Counters.New();
            // One batch: the second waits in the queue behind a command that is under way.
            var gate = new TaskCompletionSource();
            var busy = _log.ExecuteAsync(new Act(Counters.New(), d => gate.Task.Wait()));
            var refused = _log.ExecuteAsync(new Act(Counters.New(), d => d.Reject("no"), first));
            var stored = _log.ExecuteAsync(new Act(stream, d =>
            {
                d.Append(stream.Key, new CounterNamed(Guid.NewGuid().ToString(), "content"));
                d.Store(second);
                d.Result = second.Number;
            }, second));
            gate.SetResult();
            await Task.WhenAll(busy, refused, stored);
            (await ReadAsync((long)(await stored).Result!)).ShouldBe(Bytes(size));
        }
    }

    [Fact]
    public async Task What_was_stored_plain_stays_readable_and_so_does_what_is_encrypted_when_that_is_turned_off()
    {
        var plain = await _log.AddNodeAsync(Plain);
        var before = (await StoreAsync(Bytes(500), plain), await StoreAsync(Bytes(5000), plain));
        var after = (await StoreAsync(Bytes(501)), await StoreAsync(Bytes(5001)));
        (await _log.ScalarAsync<long>("select count(*) from eventmail.content where number = any($1) and kek is null and key is null", new[] { before.Item1, before.Item2, after.Item1, after.Item2 })).ShouldBe(2);
        (await ReadAsync(before.Item1)).ShouldBe(Bytes(500));
        (await ReadAsync(before.Item2)).ShouldBe(Bytes(5000));
        (await ReadAsync(after.Item1)).ShouldBe(Bytes(501));
        (await ReadAsync(after.Item2)).ShouldBe(Bytes(5001));
        await using var many = plain.Contents.ReadManyAsync([after.Item1, before.Item1, after.Item2], [501, 500, 5001]).GetAsyncEnumerator();
        while (await many.MoveNextAsync())
            await many.Current.DisposeAsync();
    }

    [Fact]
    public async Task A_staged_content_is_read_before_it_is_stored()
    {
        foreach (var size in new[] { 500, 100_000 })
        {
            await using var content = await _log.Node.Contents.OpenAsync(await _log.Node.Contents.StageAsync(Bytes(size)));
            var some = new byte[50];
            await content.ReadAtAsync(400, some);
            some.ShouldBe(Bytes(size)[400..450]);
        }
    }
}
