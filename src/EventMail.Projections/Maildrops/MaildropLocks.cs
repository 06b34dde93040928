using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Threading.Channels;
using EventMail.EventStore;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace EventMail.Projections.Maildrops;

/// <summary>
/// The exclusive locks of this node's POP3 sessions, good for all nodes: PostgreSQL advisory locks on one connection that the
/// node keeps for all its maildrops, opened when the first is wanted. They vanish with the connection, so a node that dies frees
/// its maildrops, and a node that loses only the connection tells its sessions. Requests that come together share a round trip.
/// Thread-safe.
/// </summary>
/// <remarks>A pooler between us and PostgreSQL must pool sessions, not transactions.</remarks>
public sealed partial class MaildropLocks : IAsyncDisposable
{
    /// <summary>How soon a broken connection is noticed while maildrops are locked and nobody asks.</summary>
    public static readonly TimeSpan HeartbeatInterval = TimeSpan.FromSeconds(5);

    private readonly NpgsqlDataSource _source;
    private readonly ILogger _log;
    private readonly ConcurrentDictionary<long, MaildropLock> _taken = new();
    private readonly Channel<Request> _requests = Channel.CreateUnbounded<Request>(new() { SingleReader = true });
    private readonly CancellationTokenSource _stop = new();
    private readonly Lazy<Task> _exchanging;
    private LockConnection? _connection;

    public MaildropLocks(NpgsqlDataSource source, ILogger log)
    {
        (_source, _log) = (source, log);
        _exchanging = new(() => Task.Run(ExchangeAsync));
    }

    /// <summary>How many maildrops this node has locked or is asking for.</summary>
    public int Count => _taken.Count;

    /// <summary>Null when another session, here or on another node, has the maildrop.</summary>
    /// <param name="onLost">Called at most once, on any thread, when <see cref="MaildropLock.IsLost"/> becomes true.</param>
    /// <exception cref="NpgsqlException">PostgreSQL cannot be asked.</exception>
    public async Task<MaildropLock?> TryTakeAsync(StreamKey inbox, Action onLost, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        var wanted = new MaildropLock(this, KeyOf(inbox), onLost);
        // PostgreSQL lets a session take a lock twice, so this node's own sessions are kept apart here.
        if (!_taken.TryAdd(wanted.Key, wanted))
        {
            return null;
        }

        // Not cancelled from here on: an answer nobody waits for would leave the maildrop locked.
        return await SendAsync(new(wanted, IsRelease: false)) ? wanted : null;
    }

    internal Task ReleaseAsync(MaildropLock taken) => SendAsync(new(taken, IsRelease: true));

    public async ValueTask DisposeAsync()
    {
        _requests.Writer.TryComplete();
        await _stop.CancelAsync();
        if (_exchanging.IsValueCreated)
        {
            await _exchanging.Value;
        }

        _stop.Dispose();
    }

    // Of a UUIDv7 the half that is random decides; the half that is time is mixed in.
    internal static long KeyOf(StreamKey inbox)
    {
        Span<byte> id = stackalloc byte[16];
        inbox.Id.TryWriteBytes(id);
        return BinaryPrimitives.ReadInt64BigEndian(id) ^ BinaryPrimitives.ReadInt64BigEndian(id[8..]);
    }

    private Task<bool> SendAsync(Request request)
    {
        _ = _exchanging.Value;
        if (!_requests.Writer.TryWrite(request))
        {
            Answer(request, false);
        }

        return request.Answer.Task;
    }

    private async Task ExchangeAsync()
    {
        var waiting = new List<Request>();
        while (await WaitAsync())
        {
            while (_requests.Reader.TryRead(out var request))
            {
                waiting.Add(request);
            }

            if (waiting.Count > 0 || !_taken.IsEmpty)
            {
                await ServeAsync(waiting);
            }

            waiting.Clear();
        }

        await DropConnectionAsync();
        while (_requests.Reader.TryRead(out var late))
        {
            Answer(late, false);
        }
    }

    // False when the node stops. Returns without requests now and then, to see that the connection lives.
    private async Task<bool> WaitAsync()
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        if (!_taken.IsEmpty)
        {
            limit.CancelAfter(HeartbeatInterval);
        }

        try
        {
            return await _requests.Reader.WaitToReadAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            return !_stop.IsCancellationRequested;
        }
    }

    private async Task ServeAsync(List<Request> requests)
    {
        for (var isRetry = false; ; isRetry = true)
        {
            var wasOpen = _connection is not null;
            try
            {
                await TryServeAsync(requests);
                return;
            }
            catch (Exception error)
            {
                // Its locks are gone with it: their sessions must know before anybody is given one of their maildrops.
                await DropConnectionAsync();
                LoseGranted(error);
                // A connection that broke while nobody looked is no reason to refuse who asks now.
                if (wasOpen && !isRetry && !_stop.IsCancellationRequested)
                {
                    continue;
                }

                foreach (var request in requests)
                {
                    Fail(request, error);
                }

                return;
            }
        }
    }

    private async Task TryServeAsync(List<Request> requests)
    {
        var release = requests.Where(request => request is { IsRelease: true, Lock.IsGranted: true }).Select(request => request.Lock.Key);
        var take = requests.Where(request => !request.IsRelease).Select(request => request.Lock.Key).ToArray();
        if (_connection is null && take.Length == 0)
        {
            requests.ForEach(request => Answer(request, false));
            return;
        }

        _connection ??= await LockConnection.OpenAsync(_source, _stop.Token);
        var granted = await _connection.ExchangeAsync(release.ToArray(), take, _stop.Token);
        foreach (var request in requests)
        {
            Answer(request, granted.Contains(request.Lock.Key));
        }
    }

    // A release frees the place before it is answered; a refusal does, too.
    private void Answer(Request request, bool granted)
    {
        request.Lock.IsGranted = !request.IsRelease && granted;
        if (!request.Lock.IsGranted)
        {
            _taken.TryRemove(new(request.Lock.Key, request.Lock));
        }

        request.Answer.TrySetResult(request.Lock.IsGranted);
    }

    private void Fail(Request request, Exception error)
    {
        _taken.TryRemove(new(request.Lock.Key, request.Lock));
        if (request.IsRelease)
        {
            // What was held went with the connection.
            request.Answer.TrySetResult(false);
        }
        else
        {
            request.Answer.TrySetException(error);
        }
    }

    private void LoseGranted(Exception error)
    {
        var lost = _taken.Values.Where(taken => taken.IsGranted).ToList();
        if (lost.Count > 0)
        {
            LocksLost(_log, error, lost.Count);
        }

        foreach (var taken in lost)
        {
            taken.IsGranted = false;
            _taken.TryRemove(new(taken.Key, taken));
            taken.Lose();
        }
    }

    private async Task DropConnectionAsync()
    {
        if (_connection is { } connection)
        {
            _connection = null;
            await connection.DisposeAsync();
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "The connection that holds the maildrops' locks broke: {maildrops} POP3 sessions end")]
    private static partial void LocksLost(ILogger log, Exception error, int maildrops);

    private sealed record Request(MaildropLock Lock, bool IsRelease)
    {
        public TaskCompletionSource<bool> Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
