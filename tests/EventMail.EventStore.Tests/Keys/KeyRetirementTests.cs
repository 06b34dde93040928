using System.Collections.Concurrent;
using System.Text;

namespace EventMail.EventStore.Tests.Keys;

/// <summary>A wrapping key goes, and what else it wrapped stays, whoever is writing at that moment.</summary>
public sealed class KeyRetirementTests : IAsyncLifetime
{
    private const int Threshold = 1000;

    private TestLog _log = null!;
    private EventLog _other = null!;

    public async Task InitializeAsync()
    {
        _log = await TestLog.OpenAsync(Configure);
        _other = await _log.AddNodeAsync(Configure);
    }

    public async Task DisposeAsync() => await _log.DisposeAsync();

    private static EventLogOptions Configure(EventLogOptions options) =>
        options with { Content = new() { FileThreshold = Threshold, RecentBytes = 0 } };

    private static byte[] Bytes(int size) => [.. Enumerable.Repeat(Encoding.ASCII.GetBytes(Guid.NewGuid().ToString()), size / 36 + 1).SelectMany(b => b).Take(size)];

    private static async Task<long> StoreAsync(EventLog node, StagedContent staged)
    {
        var stream = Counters.New();
        return (long)(await node.Executor.ExecuteAsync(new Act(stream, d =>
        {
            d.Append(stream.Key, new CounterNamed(Guid.NewGuid().ToString(), "content"));
            d.Store(staged);
            d.Result = staged.Number;
        }, staged), default)).Result!;
    }

    private static async Task<long> StoreAsync(EventLog node, byte[] bytes) => await StoreAsync(node, await node.Contents.StageAsync(bytes));

    private Task<long> KekAsync(long content) => _log.ScalarAsync<long>("select kek from eventmail.content where number = $1", content);

    private static async Task ShouldBeAsync(EventLog node, long number, byte[] bytes)
    {
        node.Contents.Forget(number);
        await using var content = await node.Contents.ReadAsync(number);
        var read = new byte[content.Size];
        await content.ReadAtAsync(0, read);
        read.ShouldBe(bytes);
    }

    private static async Task DestroyAsync(EventLog node, params long[] keks)
    {
        var retirement = new KeyRetirement(node);
        await retirement.RetireAsync(keks, default);
        (await retirement.RewrapAsync(keks, default)).Damaged.ShouldBeEmpty();
        await retirement.DestroyAsync(keks, default);
    }

    [Fact]
    public async Task What_a_destroyed_key_wrapped_is_read_on_and_copies_of_the_rows_before_are_not()
    {
        var (small, large) = (Bytes(500), Bytes(200_000));
        var (row, file) = (await StoreAsync(_log.Node, small), await StoreAsync(_log.Node, large));
        var kek = await KekAsync(row);
        (await KekAsync(file)).ShouldBe(kek);
        await _log.RunAsync("create table backup as select number, kek, key from eventmail.content");
        var path = _log.Node.Keys.PathOf(kek);
        File.Exists(path).ShouldBeTrue();

        await DestroyAsync(_log.Node, kek);

        File.Exists(path).ShouldBeFalse();
        foreach (var node in new[] { _log.Node, _other })
        {
            await ShouldBeAsync(node, row, small);
            await ShouldBeAsync(node, file, large);
        }
        (await KekAsync(row)).ShouldNotBe(kek);
        await ShouldBeAsync(_log.Node, await StoreAsync(_log.Node, Bytes(100) is var later ? later : []), later);

        await _log.RunAsync("update eventmail.content c set kek = b.kek, key = b.key from backup b where b.number = c.number");
        _other.Keys.Forget([kek]);
        _other.Contents.Forget(row);
        await Should.ThrowAsync<ContentLockedException>(async () => await _other.Contents.ReadAsync(row));
        // A second time does no harm: a run that was ended goes on.
        await new KeyRetirement(_log.Node).DestroyAsync([kek], default);
    }

    [Fact]
    public async Task What_was_staged_before_and_is_stored_after_the_key_is_destroyed_gets_another()
    {
        var (small, large) = (Bytes(500), Bytes(200_000));
        var first = await StoreAsync(_log.Node, Bytes(10));
        var kek = await KekAsync(first);
        var (row, file) = (await _log.Node.Contents.StageAsync(small), await _log.Node.Contents.StageAsync(large));

        await DestroyAsync(_other, kek); // another process does it: this one does not know
        var (rowNumber, fileNumber) = (await StoreAsync(_log.Node, row), await StoreAsync(_log.Node, file));

        (await KekAsync(rowNumber)).ShouldNotBe(kek);
        (await KekAsync(fileNumber)).ShouldNotBe(kek);
        await ShouldBeAsync(_log.Node, rowNumber, small);
        await ShouldBeAsync(_other, fileNumber, large);
        (await _log.ScalarAsync<long>("select count(*) from eventmail.content where kek = $1", kek)).ShouldBe(0);
    }

    [Fact]
    public async Task Writers_that_do_not_stop_lose_nothing_and_name_no_destroyed_key()
    {
        var stored = new ConcurrentDictionary<long, byte[]>();
        using var end = new CancellationTokenSource();
        var writers = new[] { _log.Node, _other, _log.Node, _other }.Select(node => Task.Run(async () =>
        {
            while (!end.IsCancellationRequested)
            {
                var bytes = Bytes(200);
                stored[await StoreAsync(node, bytes)] = bytes;
            }
        })).ToList();
        var destroyed = new List<long>();
        for (var round = 0; round < 5; round++)
        {
            var enough = stored.Count + 40;
            await TestLog.EventuallyAsync(() => stored.Count >= enough);
            var keks = await _log.ScalarAsync<long[]>("select array_agg(distinct kek) from eventmail.content");
            await DestroyAsync(_log.Node, keks);
            destroyed.AddRange(keks);
            // Immediately, while the writers are at work.
            (await _log.ScalarAsync<long>("select count(*) from eventmail.content where kek = any($1)", keks)).ShouldBe(0);
        }
        await end.CancelAsync();
        await Task.WhenAll(writers);
        (await _log.ScalarAsync<long>("select count(*) from eventmail.content where kek = any($1)", destroyed.ToArray())).ShouldBe(0);
        foreach (var (number, bytes) in stored)
            await ShouldBeAsync(_other, number, bytes);
        destroyed.ShouldAllBe(kek => !File.Exists(_log.Node.Keys.PathOf(kek)));
    }

    [Fact]
    public async Task A_transaction_that_wrote_before_is_waited_for()
    {
        var kek = await KekAsync(await StoreAsync(_log.Node, Bytes(10)));
        await using var connection = await _log.DataSource.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await using (var write = connection.CreateCommand())
        {
            write.CommandText = "insert into eventmail.content (number, digest, size, data, created, kek, key) values (77777777, '\\x00', 0, '\\x00', now(), $1, '\\x00')";
            write.Parameters.Add(new() { Value = kek });
            await write.ExecuteNonQueryAsync();
        }
        await Should.ThrowAsync<TimeoutException>(() => new KeyRetirement(_log.Node) { Patience = TimeSpan.FromMilliseconds(100) }.RetireAsync([kek], default));
        var retired = new KeyRetirement(_log.Node).RetireAsync([kek], default);
        await Task.Delay(100);
        retired.IsCompleted.ShouldBeFalse();
        await transaction.CommitAsync();
        await retired;
        // What it had stored is seen: it was damaged from the beginning here.
        (await new KeyRetirement(_log.Node).RewrapAsync([kek], default)).Damaged.ShouldBe(["eventmail.content 77777777"]);
    }
}
