using System.Text;

namespace EventMail.EventStore.Tests.Contents;

/// <summary>Contents that are given up, and the same bytes again.</summary>
public sealed class ReleasedContentTests(EncryptedContentTests.Nodes nodes) : IClassFixture<EncryptedContentTests.Nodes>
{
    private readonly TestLog _log = nodes.Log;

    private static byte[] Bytes(int size) => [.. Enumerable.Repeat(Encoding.ASCII.GetBytes(Guid.NewGuid().ToString()), size / 36 + 1).SelectMany(b => b).Take(size)];

    private async Task<long> DoAsync(Action<Decision> act, params StagedContent[] contents)
    {
        var stream = Counters.New();
        var outcome = await _log.ExecuteAsync(new Act(stream, d =>
        {
            d.Append(stream.Key, new CounterNamed(Guid.NewGuid().ToString(), "content"));
            act(d);
            if (contents.Length > 0)
                d.Result = contents[0].Number;
        }, contents));
        return (long?)outcome.Result ?? 0;
    }

    private Task<long> StoreAsync(StagedContent staged) => DoAsync(d => d.Store(staged), staged);

    private async Task<byte[]> ReadAsync(long number)
    {
        await using var content = await _log.Node.Contents.ReadAsync(number);
        var bytes = new byte[content.Size];
        await content.ReadAtAsync(0, bytes);
        return bytes;
    }

    [Theory]
    [InlineData(500)]
    [InlineData(200_000)]
    public async Task The_same_bytes_are_stored_again_after_a_release(int size)
    {
        var bytes = Bytes(size);
        var number = await StoreAsync(await _log.Node.Contents.StageAsync(bytes));
        (await ReadAsync(number)).ShouldBe(bytes);
        await DoAsync(d => d.Release([number], null));
        await Should.ThrowAsync<ContentMissingException>(() => ReadAsync(number));
        var again = await StoreAsync(await _log.Node.Contents.StageAsync(bytes, mayExist: true));
        again.ShouldNotBe(number);
        (await ReadAsync(again)).ShouldBe(bytes);
    }

    [Theory]
    [InlineData(500)]
    [InlineData(200_000)]
    public async Task What_was_found_stored_and_is_released_before_the_commit_is_stored_itself(int size)
    {
        var bytes = Bytes(size);
        var number = await StoreAsync(await _log.Node.Contents.StageAsync(bytes));
        var staged = await _log.Node.Contents.StageAsync(bytes, mayExist: true);
        var own = staged.Number;
        var released = false;
        var stored = await DoAsync(
            d =>
            {
                if (!released)
                {
                    // Found by now; it goes while this one is on its way.
                    released = staged.Exists && staged.Number == number;
                    _log.RunAsync("delete from eventmail.content where number = $1", number).GetAwaiter().GetResult();
                }
                d.Store(staged);
                d.Result = staged.Number;
            },
            staged);
        released.ShouldBeTrue();
        stored.ShouldBe(own);
        (await ReadAsync(own)).ShouldBe(bytes);
    }

    [Fact]
    public async Task A_content_that_a_command_holds_is_there_at_its_commit_or_it_is_decided_again()
    {
        var number = await StoreAsync(await _log.Node.Contents.StageAsync(Bytes(100)));
        await DoAsync(d => d.Hold([number]));
        await DoAsync(d => d.Release([number], null));
        var decided = new List<bool>();
        await DoAsync(d =>
        {
            decided.Add(d.TermsFailed);
            if (!d.TermsFailed)
                d.Hold([number]);
        });
        decided.ShouldBe([false, true]);
    }

    [Fact]
    public async Task Who_holds_and_who_releases_wait_for_each_other()
    {
        var number = await StoreAsync(await _log.Node.Contents.StageAsync(Bytes(100)));
        await using var connection = await _log.DataSource.OpenConnectionAsync();
        await using (var holding = await connection.BeginTransactionAsync())
        {
            await using (var hold = connection.CreateCommand())
            {
                hold.CommandText = "select pg_advisory_xact_lock_shared(hashtext('eventmail.content'), 1)";
                await hold.ExecuteNonQueryAsync();
            }
            await DoAsync(d => d.Hold([number])); // beside another
            var released = DoAsync(d => d.Release([number], null));
            await Task.Delay(100);
            released.IsCompleted.ShouldBeFalse();
            await holding.CommitAsync();
            await released;
        }
        (await _log.ScalarAsync<long>("select count(*) from eventmail.content where number = $1", number)).ShouldBe(0);
    }
}
