using EventMail.EventStore.Proof;

namespace EventMail.EventStore.Tests.Proof;

/// <summary>What is gone with all that tells of it is missed by the tree, stretch by stretch.</summary>
public sealed class StretchTests : IAsyncLifetime
{
    private const int Events = 700;

    private static readonly IReadOnlyDictionary<string, string> Kinds =
        Counters.Types().Aliases.ToDictionary(alias => alias, _ => Counters.Kind.Name);

    private readonly StreamRef[] _counters = [.. Enumerable.Range(0, 5).Select(_ => Counters.New())];

    private TestLog _log = null!;

    public async Task InitializeAsync()
    {
        _log = await TestLog.OpenAsync();
        for (var i = 0; i < Events / 100; i++)
        {
            await Task.WhenAll(Enumerable.Range(0, 100).Select(n => _log.ExecuteAsync(Counters.Raise(_counters[n % _counters.Length]))));
            await _log.RunAsync("select nextval('mt_events_sequence')");
        }
        await new LogTree(_log.Node).CatchUpAsync(default);
    }

    public Task DisposeAsync() => _log.DisposeAsync().AsTask();

    private async Task<string> WordsAsync(long stretch = 100)
    {
        var (verifier, faults) = (new ChainVerifier(_log.DataSource, Kinds), new List<ChainFault>());
        var end = await verifier.LastAsync(default);
        for (var after = 0L; after < end; after += stretch)
            faults.AddRange(await verifier.StretchAsync(after, Math.Min(after + stretch, end), null, default));
        return string.Join(" ", faults.Select(f => $"{f.Kind}@{f.Position}"));
    }

    private Task TamperAsync(string sql) => _log.RunAsync($"set session_replication_role = replica; {sql}; set session_replication_role = origin");

    [Fact]
    public async Task A_log_that_nobody_altered_has_no_faults_in_whatever_pieces_it_is_read()
    {
        foreach (var stretch in (long[])[1, 7, 255, 256, 257, 10_000])
            (await WordsAsync(stretch)).ShouldBe("", $"stretches of {stretch}");
        // Behind the tree's end events are new.
        await _log.ExecuteAsync(Counters.Raise(_counters[0]));
        (await WordsAsync()).ShouldBe("");
    }

    [Fact]
    public async Task A_whole_stream_that_was_removed_with_its_row_is_missed()
    {
        var gone = await _log.ScalarAsync<long[]>("select array_agg(seq_id order by seq_id) from mt_events where stream_id = $1", _counters[2].Key.Id);
        await TamperAsync($"delete from mt_events where stream_id = '{_counters[2].Key.Id}'; delete from mt_streams where id = '{_counters[2].Key.Id}'");
        (await WordsAsync()).ShouldBe(string.Join(" ", gone.Select(position => $"Removed@{position}")));
    }

    [Fact]
    public async Task Events_of_different_streams_that_exchanged_their_places_and_one_in_a_gap_are_named()
    {
        var gap = await _log.ScalarAsync<long>("select min(n)::bigint from generate_series(1, 700) n where not exists (select from mt_events where seq_id = n)");
        var (one, other) = (await FirstAsync(0), await FirstAsync(1));
        await TamperAsync($"""
            update mt_events set seq_id = -1 where seq_id = {one}; update mt_events set seq_id = {one} where seq_id = {other}; update mt_events set seq_id = {other} where seq_id = -1;
            insert into mt_streams (tenant_id, id, type, version) values ('t1', '00000000-0000-0000-0000-000000000001', 'theirs', 1);
            insert into mt_events (seq_id, id, stream_id, version, data, type, timestamp, tenant_id)
            values ({gap}, gen_random_uuid(), '00000000-0000-0000-0000-000000000001', 1, '{"{}"}', 'theirs', now(), 't1')
            """);
        (await WordsAsync()).Split(' ').Order().ShouldBe(((string[])[$"Changed@{one}", $"Changed@{other}", $"Inserted@{gap}"]).Order());
    }

    private Task<long> FirstAsync(int counter) => _log.ScalarAsync<long>("select min(seq_id) from mt_events where stream_id = $1", _counters[counter].Key.Id);

    [Theory]
    [InlineData("delete from eventmail.log_leaves where number = 0")]
    [InlineData("delete from eventmail.log_leaves where number = 1")]
    [InlineData("delete from eventmail.log_leaves")]
    [InlineData("update eventmail.log_leaves set leaves = substring(leaves from 2) where number = 1")]
    [InlineData("delete from eventmail.log_tip")]
    [InlineData("update eventmail.log_tip set tiles = ''")]
    [InlineData("drop table eventmail.log_leaves")]
    public async Task A_tree_that_is_not_whole_is_one_fault_and_not_one_of_each_event(string damage)
    {
        await _log.RunAsync(damage);
        (await WordsAsync()).ShouldBe("");
        (await new ChainVerifier(_log.DataSource, Kinds).StreamsAsync(1000, default)).ShouldHaveSingleItem().ShouldSatisfyAllConditions(
            fault => fault.Kind.ShouldBe(ChainFaultKind.Tree), fault => fault.Text.ShouldContain("the stored tree is damaged"));
    }
}
