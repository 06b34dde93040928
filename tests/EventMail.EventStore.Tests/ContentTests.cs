using System.Security.Cryptography;

namespace EventMail.EventStore.Tests;

public class ContentTests
{
    private const int Threshold = 1000;

    private static Task<TestLog> OpenAsync() =>
        TestLog.OpenAsync(o => o with { Content = new() { FileThreshold = Threshold, RecentBytes = 0 } });

    private static byte[] Random(int size) => RandomNumberGenerator.GetBytes(size);

    /// <summary>Stores the content and answers the number that the command saw.</summary>
    private static async Task<long> StoreAsync(EventLog node, StagedContent content, StreamRef? counter = null)
    {
        var stream = counter ?? Counters.New();
        var outcome = await node.Executor.ExecuteAsync(new Act(stream, d =>
        {
            d.Append(stream.Key, new CounterNamed(Guid.NewGuid().ToString(), content.Number.ToString()));
            d.Store(content);
            d.Result = content.Number;
        }, content), default);
        outcome.Rejection.ShouldBeNull();
        return (long)outcome.Result!;
    }

    private static async Task<byte[]> ReadAsync(EventLog node, long number)
    {
        await using var content = await node.Contents.ReadAsync(number);
        var bytes = new byte[content.Size];
        (await content.ReadAtAsync(0, bytes)).ShouldBe(bytes.Length);
        return bytes;
    }

    [Fact]
    public async Task What_is_read_again_in_a_long_row_is_kept_and_what_passes_once_is_not()
    {
        await using var log = await TestLog.OpenAsync();
        var bodies = Enumerable.Range(1, 200).Select(Random).ToArray();
        var numbers = new List<long>();
        foreach (var body in bodies)
            numbers.Add(await StoreAsync(log.Node, await log.Node.Contents.StageAsync(body)));
        var reader = (await log.AddNodeAsync()).Contents;

        await ReadAllAsync(keep: true);
        numbers.Count(n => reader.TryGetRecent(n, out _)).ShouldBe(0);
        await ReadAllAsync(keep: false);
        numbers.Count(n => reader.TryGetRecent(n, out _)).ShouldBe(0);
        await ReadAllAsync(keep: true);
        numbers.Count(n => reader.TryGetRecent(n, out _)).ShouldBe(numbers.Count);
        await ReadAllAsync(keep: true);

        async Task ReadAllAsync(bool keep)
        {
            var i = 0;
            await foreach (var content in reader.ReadManyAsync(numbers, [.. bodies.Select(b => (long)b.Length)], keep))
            {
                await using (content)
                {
                    content.TryGetMemory(out var bytes).ShouldBeTrue();
                    bytes.ToArray().ShouldBe(bodies[i++]);
                }
            }
            i.ShouldBe(bodies.Length);
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(Threshold)]
    [InlineData(Threshold + 1)]
    [InlineData(300_000)]
    public async Task What_was_stored_is_read_back(int size)
    {
        await using var log = await OpenAsync();
        var bytes = Random(size);
        await using var writer = log.Node.Contents.Begin();
        for (var at = 0; at < size;)
        {
            var count = Math.Min(size - at, 1 + (at * 7 % 977));
            await writer.WriteAsync(bytes.AsMemory(at, count));
            at += count;
        }
        writer.Size.ShouldBe(size);
        var staged = await writer.CompleteAsync();
        staged.Digest.ShouldBe(SHA256.HashData(bytes));
        staged.Size.ShouldBe(size);
        (staged.Path is not null).ShouldBe(size > Threshold);
        var number = await StoreAsync(log.Node, staged);
        (await ReadAsync(log.Node, number)).ShouldBe(bytes);
        (await log.Node.Contents.DigestAsync(number)).ShouldBe(staged.Digest);

        await using var content = await log.Node.Contents.ReadAsync(number);
        content.TryGetMemory(out _).ShouldBe(size <= Threshold);
        await using var stream = content.OpenRead();
        using var copy = new MemoryStream();
        await stream.CopyToAsync(copy);
        copy.ToArray().ShouldBe(bytes);
        log.Node.Contents.Buffers.Rented.ShouldBe(0);
    }

    // The seed's threshold is 1 MiB: docs/decisions/0013-contents-above-64-kib-are-files.md.
    [Theory]
    [InlineData(65_536, false)]
    [InlineData(65_537, true)]
    public async Task M002_Small_messages_are_rows_and_large_ones_files(int size, bool isFile)
    {
        await using var log = await TestLog.OpenAsync();
        var bytes = Random(size);
        var number = await StoreAsync(log.Node, await log.Node.Contents.StageAsync(bytes));
        (await log.ScalarAsync<bool>("select data is null from eventmail.content where number = $1", number)).ShouldBe(isFile);
        var files = Directory.EnumerateFiles(log.Node.Contents.Files.Root, "*", SearchOption.AllDirectories).Select(Path.GetFileName);
        files.ShouldBe(isFile ? [$"{Convert.ToHexStringLower(SHA256.HashData(bytes))}-{number}"] : []);
        (await ReadAsync(log.Node, number)).ShouldBe(bytes);
    }

    [Theory]
    [InlineData(500)]
    [InlineData(200_000)]
    public async Task A_range_is_read(int size)
    {
        await using var log = await OpenAsync();
        var bytes = Random(size);
        var number = await StoreAsync(log.Node, await log.Node.Contents.StageAsync(bytes));
        await using var content = await log.Node.Contents.ReadAsync(number);
        foreach (var (offset, length) in new[] { (0, size), (10, 100), (size - 5, 100), (size + 5, 1), (0, 0) })
        {
            var copied = new byte[length];
            var read = await content.ReadAtAsync(offset, copied);
            copied[..read].ShouldBe(bytes.Skip(offset).Take(length).ToArray());
        }
    }

    [Fact]
    public async Task A_content_just_committed_is_read_from_memory()
    {
        await using var log = await TestLog.OpenAsync(o => o with { Content = new() { RecentBytes = 10_000 } });
        var numbers = new List<long>();
        for (var i = 0; i < 5; i++)
            numbers.Add(await StoreAsync(log.Node, await log.Node.Contents.StageAsync(Random(4000))));
        numbers.Select(n => log.Node.Contents.TryGetRecent(n, out _)).ShouldBe([false, false, false, true, true]);
    }

    [Fact]
    public async Task A_digest_is_stored_once_within_a_batch_between_batches_and_between_nodes()
    {
        await using var log = await OpenAsync();
        var second = await log.AddNodeAsync(o => o with { Content = new() { FileThreshold = Threshold } });
        foreach (var size in new[] { 100, 5000 })
        {
            var bytes = Random(size);
            var staged = new List<StagedContent>();
            for (var i = 0; i < 20; i++)
                staged.Add(await log.Node.Contents.StageAsync(bytes));
            var first = await Task.WhenAll(staged.Select(s => StoreAsync(log.Node, s)));
            var later = await StoreAsync(log.Node, await log.Node.Contents.StageAsync(bytes));
            var there = await StoreAsync(second, await second.Contents.StageAsync(bytes));
            var expected = await StoreAsync(second, await second.Contents.StageAsync(bytes, mayExist: true));
            first.Append(later).Append(there).Append(expected).Distinct().Count().ShouldBe(1);
        }
        (await log.ScalarAsync<long>("select count(*) from eventmail.content")).ShouldBe(2);
        // What the events say is what is stored.
        (await log.ScalarAsync<long>("""
            select count(*) from mt_events e where not exists (select from eventmail.content c where c.number = (e.data->>'Note')::bigint)
            """)).ShouldBe(0);
    }

    [Fact]
    public async Task Two_nodes_that_store_the_same_contents_at_once_agree()
    {
        await using var log = await OpenAsync();
        var second = await log.AddNodeAsync(o => o with { Content = new() { FileThreshold = Threshold } });
        var bodies = Enumerable.Range(0, 30).Select(_ => Random(200)).ToArray();
        async Task<long[]> Run(EventLog node, IEnumerable<byte[]> order) =>
            await Task.WhenAll(order.Select(async b => await StoreAsync(node, await node.Contents.StageAsync(b))));
        var there = Run(second, bodies.Reverse());
        var here = await Run(log.Node, bodies);
        here.ShouldBe((await there).Reverse().ToArray());
        (await log.ScalarAsync<long>("select count(*) from eventmail.content")).ShouldBe(30);
    }

    [Fact]
    public async Task Many_are_read_in_the_order_asked_for()
    {
        await using var log = await OpenAsync();
        var bodies = new Dictionary<long, byte[]>();
        foreach (var size in Enumerable.Range(0, 300).Select(i => i % 10 == 0 ? 2000 : i))
        {
            var bytes = Random(size + 1);
            bodies[await StoreAsync(log.Node, await log.Node.Contents.StageAsync(bytes))] = bytes;
        }
        var random = new Random(7);
        var all = bodies.Keys.ToArray();
        long[][] orders =
        [
            all, [.. all.Reverse()], [.. all.OrderBy(_ => random.Next())], [.. all.Where((_, i) => i % 7 == 0)], [all[3], all[3], all[2], all[3]], [],
        ];
        foreach (var order in orders)
        {
            var read = new List<long>();
            await foreach (var content in log.Node.Contents.ReadManyAsync(order, [.. order.Select(n => (long)bodies[n].Length)]))
            {
                await using var _ = content;
                var bytes = new byte[content.Size];
                await content.ReadAtAsync(0, bytes);
                bytes.ShouldBe(bodies[content.Number]);
                read.Add(content.Number);
            }
            read.ShouldBe(order);
        }
        log.Node.Contents.Buffers.Rented.ShouldBe(0);
    }

    [Fact]
    public async Task Readers_that_stop_in_the_middle_hold_no_connection()
    {
        await using var log = await TestLog.OpenAsync(o => o with
        {
            ConnectionString = o.ConnectionString + ";Maximum Pool Size=2;Timeout=60",
            Content = new() { RecentBytes = 0 },
        });
        var contents = log.Node.Contents;
        var (numbers, sizes) = (new List<long>(), new List<long>());
        foreach (var size in Enumerable.Range(0, 40).Select(i => i % 10 == 0 ? 100_000 : 20_000))
        {
            numbers.Add(await StoreAsync(log.Node, await contents.StageAsync(Random(size))));
            sizes.Add(size);
        }
        var readers = Enumerable.Range(0, 10).Select(_ => contents.ReadManyAsync(numbers, sizes).GetAsyncEnumerator()).ToArray();
        for (var i = 0; i < 20; i++)
            foreach (var reader in readers)
            {
                (await reader.MoveNextAsync()).ShouldBeTrue();
                await reader.Current.DisposeAsync();
            }
        (await contents.DigestAsync(numbers[0])).Length.ShouldBe(32);
        contents.Buffers.Rented.ShouldBeInRange(1, readers.Length * 2 * ContentWindow.MaxOctets);
        foreach (var reader in readers)
            await reader.DisposeAsync();
        contents.Buffers.Rented.ShouldBe(0);
    }

    [Fact]
    public async Task Rows_above_a_threshold_that_was_lowered_are_read_as_well()
    {
        await using var log = await TestLog.OpenAsync();
        var (numbers, bodies) = (new List<long>(), new List<byte[]>());
        for (var i = 0; i < 20; i++)
        {
            bodies.Add(Random(i % 2 == 0 ? 60_000 : 100));
            numbers.Add(await StoreAsync(log.Node, await log.Node.Contents.StageAsync(bodies[i])));
        }
        var node = await log.AddNodeAsync(o => o with { Content = new() { FileThreshold = Threshold } });
        var at = 0;
        await foreach (var content in node.Contents.ReadManyAsync(numbers, [.. bodies.Select(b => (long)b.Length)]))
        {
            await using var _ = content;
            content.TryGetMemory(out var bytes).ShouldBeTrue();
            bytes.ToArray().ShouldBe(bodies[at++]);
        }
        at.ShouldBe(20);
    }

    [Fact]
    public async Task M002_Messages_in_files_are_for_their_owner_alone()
    {
        await using var log = await OpenAsync();
        var store = log.Node.Contents;
        await StoreAsync(log.Node, await store.StageAsync(Random(5000)));
        await using var half = store.Begin();
        await half.WriteAsync(Random(5000));
        var all = Directory.GetFileSystemEntries(store.Files.Root, "*", SearchOption.AllDirectories);
        all.Count(File.Exists).ShouldBe(2);
        const UnixFileMode others = (UnixFileMode)0b111_111;
        foreach (var entry in all.Append(store.Files.Root))
            (File.GetUnixFileMode(entry) & others).ShouldBe(UnixFileMode.None, entry);

        // One that an older program made is put right.
        File.SetUnixFileMode(store.Files.Root, (UnixFileMode)0b111_101_101);
        await log.AddNodeAsync();
        (File.GetUnixFileMode(store.Files.Root) & others).ShouldBe(UnixFileMode.None);
    }

    [Fact]
    public async Task A_missing_content_is_told()
    {
        await using var log = await OpenAsync();
        await Should.ThrowAsync<ContentMissingException>(async () => await log.Node.Contents.ReadAsync(999));
        await Should.ThrowAsync<ContentMissingException>(async () => await log.Node.Contents.DigestAsync(999));
        await Should.ThrowAsync<ContentMissingException>(async () => await log.Node.Contents.ReadManyAsync([999], [1]).CountAsync());
        var staged = await log.Node.Contents.StageAsync(Random(5000));
        var number = await StoreAsync(log.Node, staged);
        File.Delete(staged.Path!);
        await Should.ThrowAsync<ContentMissingException>(async () => await log.Node.Contents.ReadAsync(number));
    }

    [Fact]
    public async Task Two_hundred_large_contents_at_once_need_little_memory()
    {
        await using var log = await TestLog.OpenAsync();
        const int writers = 200, chunk = 64 * 1024, chunks = 64; // 4 MiB each
        var bytes = Random(chunk);
        var all = Enumerable.Range(0, writers).Select(_ => log.Node.Contents.Begin()).ToArray();
        for (var i = 0; i < chunks; i++)
            foreach (var writer in all)
                await writer.WriteAsync(bytes);
        log.Node.Contents.Buffers.Rented.ShouldBeLessThanOrEqualTo(writers * 64 * 1024);
        foreach (var writer in all)
            await writer.DisposeAsync();
        log.Node.Contents.Buffers.Peak.ShouldBeLessThan(writers * (log.Node.Contents.Options.FileThreshold + 64 * 1024L));
        log.Node.Contents.Buffers.Rented.ShouldBe(0);
        Directory.GetFiles(log.Folder, "*", SearchOption.AllDirectories).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_content_that_no_command_declared_cannot_be_stored()
    {
        await using var log = await OpenAsync();
        var staged = await log.Node.Contents.StageAsync(Random(10));
        await Should.ThrowAsync<InvalidOperationException>(log.ExecuteAsync(new Act(Counters.New(), d => d.Store(staged))));
    }

    [Fact]
    public async Task A_batch_takes_a_bounded_number_of_bytes()
    {
        await using var log = await TestLog.OpenAsync(o => o with { BatchContentBytes = 10_000 });
        var contents = new List<StagedContent>();
        for (var i = 0; i < 30; i++)
            contents.Add(await log.Node.Contents.StageAsync(Random(i == 7 ? 50_000 : 3000)));
        var largest = 0L;
        using var subscription = log.Executor.Feed.Subscribe(b => largest = Math.Max(largest, b.Contents.Sum(c => c.Size)));
        await Task.WhenAll(contents.Select(c => StoreAsync(log.Node, c)));
        largest.ShouldBe(50_000);
        (await log.ScalarAsync<long>("select count(*) from eventmail.content")).ShouldBe(30);
    }

    [Fact]
    public async Task Orphans_are_deleted_when_they_are_old_and_nothing_else_is()
    {
        await using var log = await OpenAsync();
        var store = log.Node.Contents;
        var kept = await store.StageAsync(Random(5000));
        var keptNumber = await StoreAsync(log.Node, kept);
        var refused = await store.StageAsync(Random(5000));
        var young = await store.StageAsync(Random(5000));
        var crashed = Path.Combine(store.Files.Temporary, "left");
        await File.WriteAllTextAsync(crashed, "half a mess");
        // A pass that ended with a wanted file in its hand.
        var taken = await store.StageAsync(Random(5000));
        var takenNumber = await StoreAsync(log.Node, taken);
        File.Move(taken.Path!, Path.Combine(store.Files.Temporary, "orphan-" + Path.GetFileName(taken.Path)));

        var now = DateTime.UtcNow.AddHours(2);
        File.SetLastWriteTimeUtc(young.Path!, now);
        (await store.Orphans.CollectAsync(now, default)).ShouldBe(2);
        File.Exists(refused.Path).ShouldBeFalse();
        File.Exists(crashed).ShouldBeFalse();
        File.Exists(young.Path).ShouldBeTrue();
        (await ReadAsync(log.Node, keptNumber)).Length.ShouldBe(5000);
        (await ReadAsync(log.Node, takenNumber)).Length.ShouldBe(5000);
        (await store.Orphans.CollectAsync(now, default)).ShouldBe(0);
    }

    [Fact]
    public async Task Contents_brought_while_their_orphans_are_collected_are_not_lost()
    {
        await using var log = await OpenAsync();
        var store = log.Node.Contents;
        for (var round = 0; round < 20; round++)
        {
            var bytes = Random(3000);
            var orphan = await store.StageAsync(bytes);
            File.SetLastWriteTimeUtc(orphan.Path!, DateTime.UtcNow.AddHours(-2));
            var collecting = Task.Run(() => store.Orphans.CollectAsync(DateTime.UtcNow, default));
            var number = await StoreAsync(log.Node, await store.StageAsync(bytes));
            await collecting;
            (await ReadAsync(log.Node, number)).ShouldBe(bytes);
        }
    }
}
