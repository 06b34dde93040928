using System.Security.Cryptography;

namespace EventMail.EventStore.Tests;

/// <summary>Contents that are read ahead of being asked for.</summary>
public sealed class PrefetchTests
{
    [Fact]
    public async Task What_was_read_ahead_is_read_without_the_database_and_is_the_same()
    {
        await using var log = await TestLog.OpenAsync();
        var small = await StoreAsync(log, 1000);
        var large = await StoreAsync(log, 200_000);
        var node = await log.AddNodeAsync(o => o);
        node.Contents.IsRecent(small.Number).ShouldBeFalse();
        await node.Contents.PrefetchAsync([small.Number, large.Number, 999_999]);
        node.Contents.IsRecent(small.Number).ShouldBeTrue();
        node.Contents.IsRecent(large.Number).ShouldBeTrue();
        node.Contents.IsRecent(999_999).ShouldBeFalse();
        (await BytesAsync(node, small.Number)).ShouldBe(small.Bytes);
        (await BytesAsync(node, large.Number)).ShouldBe(large.Bytes);
    }

    [Fact]
    public async Task A_memory_that_is_too_small_is_no_loss()
    {
        await using var log = await TestLog.OpenAsync();
        var small = await StoreAsync(log, 1000);
        var node = await log.AddNodeAsync(o => o with { Content = o.Content with { RecentBytes = 10 } });
        (await BytesAsync(node, small.Number)).ShouldBe(small.Bytes);
        await Should.ThrowAsync<ContentMissingException>(async () => await node.Contents.ReadAsync(999_999));
    }

    private static async Task<(long Number, byte[] Bytes)> StoreAsync(TestLog log, int size)
    {
        var bytes = RandomNumberGenerator.GetBytes(size);
        var staged = await log.Node.Contents.StageAsync(bytes);
        var stream = Counters.New();
        (await log.ExecuteAsync(new Act(stream, d =>
        {
            d.Append(stream.Key, new CounterNamed(Guid.NewGuid().ToString(), staged.Number.ToString()));
            d.Store(staged);
        }, staged))).Rejection.ShouldBeNull();
        return (staged.Number, bytes);
    }

    private static async Task<byte[]> BytesAsync(EventLog node, long number)
    {
        await using var content = await node.Contents.ReadAsync(number);
        var bytes = new byte[content.Size];
        (await content.ReadAtAsync(0, bytes)).ShouldBe(bytes.Length);
        return bytes;
    }
}
