namespace EventMail.EventStore.Tests.Sealing;

/// <summary>What is sealed of an event was damaged: its stream waits until the box opens again, and not a moment less.</summary>
public sealed class DamagedBoxTests : IAsyncLifetime
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(20);

    private readonly StreamRef _counter = Counters.New("ann");
    private TestLog _log = null!;
    private EventLog _other = null!;

    public async Task InitializeAsync()
    {
        _log = await TestLog.OpenAsync(options => options with { QuarantinePoll = Poll });
        _other = await _log.AddNodeAsync(options => options with { QuarantinePoll = Poll });
    }

    public async Task DisposeAsync() => await _log.DisposeAsync();

    private sealed class Write(StreamRef stream, object @event) : Command
    {
        public override IReadOnlyList<StreamRef> Streams => [stream];

        public override EventMetadata Metadata => new(null, "session", null, """{"protocol":"test","client_ip":"192.0.2.77","client_port":"2525"}""");

        public override void Decide(Decision decision) => decision.Append(stream.Key, @event);
    }

    private async Task AppendAsync(object @event) => (await _log.ExecuteAsync(new Write(_counter, @event))).Rejection.ShouldBeNull();

    // In the middle of the box: behind the mark that says which key made it.
    private Task DamageAsync(string column, string member) => _log.RunAsync($$"""
        update mt_events set {{column}} = jsonb_set({{column}}, '{{{member}}}', to_jsonb(overlay({{column}}->>'{{member}}' placing 'AAAAAAAA' from 21)))
        where stream_id = $1 and version = 1
        """, _counter.Key.Id);

    private async Task<string> ReadAsync(EventLog node)
    {
        var events = new List<object>();
        await foreach (var e in node.Reader.ReadStreamAsync(_counter.Key))
            events.Add(e.Data);
        return string.Join(' ', events);
    }

    private async Task HeldAsync(string error)
    {
        foreach (var node in (EventLog[])[_log.Node, _other])
            await TestLog.EventuallyAsync(() => node.Quarantine.Holds(_counter.Key));
        // Looked at again and again, by two nodes, and still there.
        var found = await _log.ScalarAsync<DateTime>("select found from eventmail.unreadable_event");
        for (var until = DateTime.UtcNow + 20 * Poll; DateTime.UtcNow < until; await Task.Delay(Poll / 2))
        {
            _log.Node.Quarantine.Holds(_counter.Key).ShouldBeTrue();
            _other.Quarantine.Holds(_counter.Key).ShouldBeTrue();
        }
        (await _log.ScalarAsync<DateTime>("select found from eventmail.unreadable_event")).ShouldBe(found);
        _log.Node.Quarantine.Rows.ShouldHaveSingleItem().Error.ShouldContain(error);
        foreach (var node in (EventLog[])[_log.Node, _other])
            await Should.ThrowAsync<DamagedStreamException>(node.Executor.ExecuteAsync(Counters.Raise(_counter), default));
        (await _log.ExecuteAsync(Counters.Raise(Counters.New("ann")))).Rejection.ShouldBeNull(); // another stream of the same person
    }

    private async Task ReleasedAsync()
    {
        foreach (var node in (EventLog[])[_log.Node, _other])
            await TestLog.EventuallyAsync(() => node.Quarantine.IsEmpty);
        (await _log.ScalarAsync<long>("select count(*) from eventmail.unreadable_event")).ShouldBe(0);
        (await _log.ExecuteAsync(Counters.Raise(_counter))).Rejection.ShouldBeNull();
        (await _other.Executor.ExecuteAsync(Counters.Raise(_counter), default)).Rejection.ShouldBeNull();
    }

    public static TheoryData<object> Sealed => [new CounterOwned("ann@example.org", 7, [], null), new CounterSeen("ann", null, ["one"])];

    [Theory]
    [MemberData(nameof(Sealed))]
    public async Task An_event_with_a_damaged_box_is_in_quarantine_until_the_box_is_repaired(object @event)
    {
        await AppendAsync(@event);
        var data = await _log.ScalarAsync<string>("select data::text from mt_events where stream_id = $1", _counter.Key.Id);
        await DamageAsync("data", "Sealed");
        await Should.ThrowAsync<UnreadableEventException>(ReadAsync(_log.Node));
        await HeldAsync("what is sealed of it is damaged");

        // Another damage is no repair.
        await _log.RunAsync("update mt_events set data = jsonb_set(data, '{Sealed}', to_jsonb(left(data->>'Sealed', 40))) where stream_id = $1", _counter.Key.Id);
        await HeldAsync("what is sealed of it is damaged");

        await _log.RunAsync("update mt_events set data = $2::text::jsonb where stream_id = $1", _counter.Key.Id, data);
        await ReleasedAsync();
        (await ReadAsync(_other)).ShouldContain("ann");
        await _log.ShouldBeConsistentAsync();
    }

    [Fact]
    public async Task Headers_with_a_damaged_box_are_a_damaged_event()
    {
        await AppendAsync(new CounterRaised(1, "why"));
        var headers = await _log.ScalarAsync<string>("select headers::text from mt_events where stream_id = $1", _counter.Key.Id);
        await DamageAsync("headers", "sealed");
        await Should.ThrowAsync<UnreadableEventException>(ReadAsync(_log.Node));
        await HeldAsync("headers: what is sealed of it is damaged");

        await _log.RunAsync("update mt_events set headers = $2::text::jsonb where stream_id = $1", _counter.Key.Id, headers);
        await ReleasedAsync();
        await _log.ShouldBeConsistentAsync();
    }

    [Fact]
    public async Task Nobody_is_released_while_the_key_of_the_box_is_away()
    {
        await AppendAsync(new CounterOwned("ann@example.org", 7, [], null));
        var data = await _log.ScalarAsync<string>("select data::text from mt_events where stream_id = $1", _counter.Key.Id);
        await DamageAsync("data", "Sealed");
        await Should.ThrowAsync<UnreadableEventException>(ReadAsync(_log.Node));
        await HeldAsync("damaged");
        await _log.CloseAsync(_other);
        await _log.CloseAsync(_log.Node);

        var (keys, aside) = (Path.Combine(_log.Folder, "keys"), Path.Combine(_log.Folder, "aside"));
        Directory.Move(keys, aside);
        await _log.RunAsync("update mt_events set data = $2::text::jsonb where stream_id = $1", _counter.Key.Id, data);
        var node = await _log.AddNodeAsync(options => options with { QuarantinePoll = Poll });
        for (var until = DateTime.UtcNow + 20 * Poll; DateTime.UtcNow < until; await Task.Delay(Poll / 2))
            node.Quarantine.Holds(_counter.Key).ShouldBeTrue();
        (await _log.ScalarAsync<long>("select count(*) from eventmail.unreadable_event")).ShouldBe(1);

        Directory.Move(aside, keys);
        await TestLog.EventuallyAsync(() => node.Quarantine.IsEmpty);
        (await ReadAsync(node)).ShouldContain("ann@example.org");
    }

    [Fact]
    public async Task What_was_sealed_by_a_key_that_is_destroyed_holds_nobody_up()
    {
        await AppendAsync(new CounterOwned("ann@example.org", 7, [], null));
        await DamageAsync("data", "Sealed");
        await Should.ThrowAsync<UnreadableEventException>(ReadAsync(_log.Node));
        await HeldAsync("damaged");
        await using (var connection = await _log.DataSource.OpenConnectionAsync())
            await _log.Node.Subjects.EraseAsync(connection, null, "ann", default);
        await ReleasedAsync();
        (await ReadAsync(_log.Node)).ShouldNotContain("ann@");
    }
}
