using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace EventMail.EventStore;

/// <summary>
/// This process among the others on the same database. A node that is alone neither sends nor listens to notices of commits; the
/// first thing another does is to greet it, and it answers once it sends and listens. Whoever leaves is seen off by those who have
/// taken in what it committed: a command that is over is known to the server. While the link is broken a node behaves as if others
/// were there.
/// </summary>
internal sealed class NodeLink : IAsyncDisposable
{
    private const string Channel = "eventmail_nodes";
    private const string Hello = "hello", Welcome = "welcome", Bye = "bye", Farewell = "farewell";

    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(500);

    private readonly NpgsqlDataSource _source;
    private readonly RemoteCommits _remote;
    private readonly Publisher _publisher;
    private readonly SubjectKeys _subjects;
    private readonly EventLogOptions _options;
    private readonly string _models; // the versions that this node folds
    private readonly ILogger _log;
    private readonly SafePosition _safe = new();
    private readonly ConcurrentQueue<string> _messages = new();
    private readonly HashSet<Guid> _others = [];
    private readonly HashSet<Guid> _silent = []; // live nodes that have not answered the greeting, or the goodbye
    private readonly CancellationTokenSource _stop = new();
    private NpgsqlConnection? _connection;
    private Task _running = Task.CompletedTask;
    private volatile bool _othersPresent = true;
    private long _presence;
    private bool _listening;
    private bool _joined;
    private long _nextBeat; // of the machine's ticks: a clock that is set must not hold back the heartbeat
    private long _joinedAt;

    // Every commit up to here has been told of (or was made while nobody else was there). A heartbeat's position counts from the
    // heartbeat after it: a notice may still be on its way when the position is already safe.
    private long _told;
    private long _toldNext;

    // Where the log was when somebody was given up without a word: what they committed since, if they live, nobody was told of.
    private long? _unheard;

    public NodeLink(
        EventLogOptions options, Guid node, IEnumerable<IReadModel> models, RemoteCommits remote, Publisher publisher, SubjectKeys subjects, ILogger log)
    {
        (Node, _options, _remote, _publisher, _subjects, _log) = (node, options, remote, publisher, subjects, log);
        _models = NodeModels.Of(models);
        _source = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(options.ConnectionString)
        {
            SearchPath = ReadModelSchema.SearchPath,
            Pooling = false,
            ApplicationName = $"eventmail link {node:n}",
            Enlist = false,
        });
    }

    public Guid Node { get; }

    public bool OthersPresent => _othersPresent;

    /// <summary>How often others came.</summary>
    public long Presence => Volatile.Read(ref _presence);

    private void SetOthersPresent(bool present)
    {
        if (present && !_othersPresent)
            Interlocked.Increment(ref _presence);
        _othersPresent = present;
    }

    public ValueTask CatchUpLaterAsync(IReadOnlyList<StreamKey> keys)
    {
        _remote.CatchUpLater(keys);
        return default;
    }

    /// <summary>Greets the others, waits (a little) for their answers, then follows them.</summary>
    public async Task JoinAsync(CancellationToken cancel)
    {
        await ConnectAsync(cancel);
        _told = _toldNext = _joinedAt = await PositionAsync(cancel);
        var deadline = DateTime.UtcNow + _options.Greeting;
        while (_silent.Count > 0 && deadline - DateTime.UtcNow is var left && left > TimeSpan.Zero)
        {
            await ListenAsync(left, cancel);
            await HandleMessagesAsync(cancel);
        }
        if (_silent.Count > 0)
            _log.NodesSilent(_silent.Count);
        await SettleAsync(cancel);
        _joined = true;
        _remote.Start();
        _running = Task.Run(RunAsync, CancellationToken.None);
    }

    // Where the log is complete now. Who keeps a transaction open for longer than the greeting is not waited for: conflicts show
    // what it did.
    private async Task<long> PositionAsync(CancellationToken cancel)
    {
        var (safe, first) = await _safe.AdvanceAsync(_connection!, cancel);
        for (var deadline = DateTime.UtcNow + _options.Greeting; safe < first && DateTime.UtcNow < deadline;)
        {
            await Task.Delay(5, cancel);
            (safe, _) = await _safe.AdvanceAsync(_connection!, cancel);
        }
        return first;
    }

    private async Task RunAsync()
    {
        var cancel = _stop.Token;
        while (!cancel.IsCancellationRequested)
        {
            try
            {
                if (_connection is null)
                {
                    await ConnectAsync(cancel);
                    FollowUntold();
                    await SettleAsync(cancel);
                }
                if (_nextBeat - Environment.TickCount64 is var left && left > 0)
                    await ListenAsync(TimeSpan.FromMilliseconds(left), cancel);
                else
                    await BeatAsync(cancel);
                await HandleMessagesAsync(cancel);
            }
            catch (OperationCanceledException) when (cancel.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                SetOthersPresent(true);
                _log.LinkBroken(e);
                await DropAsync();
                await Task.Delay(RetryDelay, CancellationToken.None);
            }
        }
    }

    private async Task ConnectAsync(CancellationToken cancel)
    {
        // Listens before it looks around, so that nobody who comes meanwhile is missed.
        const string join = """
            insert into eventmail.node (id, pid, backend_start, heartbeat, read_models)
            select $1, pid, backend_start, now(), $2 from pg_stat_activity where pid = pg_backend_pid()
            on conflict (id) do update set pid = excluded.pid, backend_start = excluded.backend_start, heartbeat = excluded.heartbeat
            """;
        var connection = await _source.OpenConnectionAsync(cancel);
        try
        {
            connection.Notification += (_, e) => Receive(e.Channel, e.Payload);
            await ExecuteAsync(connection, $"listen {Channel}", cancel);
            await ExecuteAsync(connection, $"listen {CommitNotice.Channel}", cancel);
            await ExecuteAsync(connection, $"listen {SubjectKeys.Channel}", cancel);
            await _subjects.ForgetAllAsync(connection, cancel); // what was told while nobody listened
            await using (var transaction = await connection.BeginTransactionAsync(cancel))
            {
                await ExecuteAsync(connection, join, cancel, Node, _models);
                await ExecuteAsync(connection, "select pg_notify($1, $2)", cancel, Channel, $"{Hello} {Node:n}");
                await transaction.CommitAsync(cancel);
            }
            await LookAroundAsync(connection, cancel);
            _nextBeat = NextBeat();
            (_connection, _listening) = (connection, true);
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    private async Task LookAroundAsync(NpgsqlConnection connection, CancellationToken cancel)
    {
        const string nodes = """
            select n.id, a.pid is not null from eventmail.node n
            left join pg_stat_activity a on a.pid = n.pid and a.backend_start = n.backend_start
            where n.id <> $1 and n.heartbeat > now() - $2
            """;
        _others.Clear();
        _silent.Clear();
        await using var command = Command(connection, nodes, Node, _options.NodeExpiry);
        await using var reader = await command.ExecuteReaderAsync(cancel);
        while (await reader.ReadAsync(cancel))
        {
            _others.Add(reader.GetGuid(0));
            if (reader.GetBoolean(1))
                _silent.Add(reader.GetGuid(0));
        }
    }

    // Messages also come in with the answers of statements: then there is nothing to wait for. Npgsql takes 0 ms for ever.
    private async Task ListenAsync(TimeSpan timeout, CancellationToken cancel)
    {
        if (_messages.IsEmpty)
            await _connection!.WaitAsync(Math.Max(1, (int)timeout.TotalMilliseconds), cancel);
    }

    private void Receive(string channel, string payload)
    {
        if (channel == Channel)
            _messages.Enqueue(payload);
        else if (channel == SubjectKeys.Channel)
            _subjects.Hear(payload);
        else if (CommitNotice.Decode(payload) is { } notice && notice.Node != Node)
            _remote.Follow(notice);
    }

    private async Task HandleMessagesAsync(CancellationToken cancel)
    {
        while (_messages.TryDequeue(out var message))
        {
            var words = message.Split(' ');
            if (words.Length < 2 || !Guid.TryParseExact(words[1], "n", out var node) || node == Node)
                continue;
            if (words[0] == Hello)
                await WelcomeAsync(node, cancel);
            else if (words[0] == Welcome && words.Length == 3 && words[2] == Node.ToString("n"))
                Welcomed(node);
            else if (words[0] == Bye)
                await SeeOffAsync(node, cancel);
        }
        await SettleAsync(cancel);
    }

    private async Task WelcomeAsync(Guid node, CancellationToken cancel)
    {
        _others.Add(node);
        SetOthersPresent(true);
        await SettleAsync(cancel);
        // A batch that left without a notice: the newcomer may read only when it is over.
        await _publisher.SettledAsync().WaitAsync(cancel);
        await ExecuteAsync(_connection!, "select pg_notify($1, $2)", cancel, Channel, $"{Welcome} {Node:n} {node:n}");
        _log.NodeJoined(node, _others.Count);
    }

    private async Task SeeOffAsync(Guid node, CancellationToken cancel)
    {
        if (_others.Remove(node))
            _log.NodeLeft(node, _others.Count);
        if (_joined)
            await _remote.DrainAsync(cancel);
        await ExecuteAsync(_connection!, "select pg_notify($1, $2)", cancel, Channel, $"{Farewell} {Node:n} {node:n}");
    }

    // An answer after the greeting was given up: what that node committed unannounced meanwhile is in the log.
    private void Welcomed(Guid node)
    {
        if (_silent.Remove(node) && _joined)
            _remote.FollowSince(_joinedAt);
    }

    private void FollowUntold()
    {
        _remote.FollowSince(Math.Min(_unheard ?? _told, _told));
        _unheard = null;
    }

    // Listens to commits exactly while there is somebody to listen to.
    private async Task SettleAsync(CancellationToken cancel)
    {
        var needed = _others.Count > 0;
        if (needed != _listening)
        {
            await ExecuteAsync(_connection!, $"{(needed ? "listen" : "unlisten")} {CommitNotice.Channel}", cancel);
            _listening = needed;
            if (needed)
                FollowUntold();
        }
        // Whoever sees that nobody is there relies on the cache: what those who left committed must be in it.
        if (_joined && _othersPresent && !needed)
            await _remote.DrainAsync(cancel);
        SetOthersPresent(needed);
    }

    private long NextBeat() => Environment.TickCount64 + (long)_options.Heartbeat.TotalMilliseconds;

    private async Task BeatAsync(CancellationToken cancel)
    {
        const string beat = """
            insert into eventmail.node (id, pid, backend_start, heartbeat, read_models)
            select $1, pid, backend_start, now(), $2 from pg_stat_activity where pid = pg_backend_pid()
            on conflict (id) do update set heartbeat = excluded.heartbeat
            returning xmax = 0
            """;
        _nextBeat = NextBeat();
        await using (var command = Command(_connection!, beat, Node, _models))
            if (await command.ExecuteScalarAsync(cancel) is true)
                await ReturnAsync(cancel);
        await ExecuteAsync(_connection!, "delete from eventmail.node where heartbeat < now() - $1", cancel, _options.NodeExpiry);
        var present = new HashSet<Guid>();
        await using (var command = Command(_connection!, "select id from eventmail.node where id <> $1", Node))
        await using (var reader = await command.ExecuteReaderAsync(cancel))
            while (await reader.ReadAsync(cancel))
                present.Add(reader.GetGuid(0));
        foreach (var gone in _others.Except(present).ToList())
        {
            _unheard = Math.Min(_unheard ?? _told, _told);
            _others.Remove(gone);
            _log.NodeLeft(gone, _others.Count);
        }
        _others.UnionWith(present);
        await SettleAsync(cancel);
        _told = Math.Max(_told, _toldNext);
        (_toldNext, _) = await _safe.AdvanceAsync(_connection!, cancel);
    }

    // Our row was gone: we were silent for so long that the others gave us up, and told us of nothing since.
    private async Task ReturnAsync(CancellationToken cancel)
    {
        await ExecuteAsync(_connection!, "select pg_notify($1, $2)", cancel, Channel, $"{Hello} {Node:n}");
        FollowUntold();
    }

    private async Task LeaveAsync(NpgsqlConnection connection)
    {
        await LookAroundAsync(connection, CancellationToken.None);
        await ExecuteAsync(connection, "delete from eventmail.node where id = $1", CancellationToken.None, Node);
        await ExecuteAsync(connection, "select pg_notify($1, $2)", CancellationToken.None, Channel, $"{Bye} {Node:n}");
        var deadline = DateTime.UtcNow + _options.Parting;
        while (_silent.Count > 0 && deadline - DateTime.UtcNow is var left && left > TimeSpan.Zero)
        {
            await ListenAsync(left, CancellationToken.None);
            while (_messages.TryDequeue(out var message))
                // Who leaves at the same time has nothing to take in any more.
                if (message.Split(' ') is [Farewell or Bye, var from, ..] words && (words[0] == Bye || words[^1] == Node.ToString("n"))
                    && Guid.TryParseExact(from, "n", out var node))
                    _silent.Remove(node);
        }
        if (_silent.Count > 0)
            _log.LeftUnseen(_silent.Count);
    }

    private async ValueTask DropAsync()
    {
        if (_connection is { } connection)
        {
            _connection = null;
            await connection.DisposeAsync();
        }
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancel, params object[] values)
    {
        await using var command = Command(connection, sql, values);
        await command.ExecuteNonQueryAsync(cancel);
    }

    private static NpgsqlCommand Command(NpgsqlConnection connection, string sql, params object[] values)
    {
        var command = new NpgsqlCommand(sql, connection);
        foreach (var value in values)
            command.Parameters.Add(new() { Value = value });
        return command;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        if (_connection is not null)
        {
            try
            {
                // A link that is known to be broken says no goodbye: the others find out by the missing heartbeat.
                if (_connection.State == System.Data.ConnectionState.Open)
                    await LeaveAsync(_connection);
            }
            catch (Exception e) when (Faults.IsLoss(e))
            {
                _log.LinkBroken(e);
            }
            await DropAsync();
        }
        await _remote.DisposeAsync();
        await _source.DisposeAsync();
        _stop.Dispose();
    }
}
