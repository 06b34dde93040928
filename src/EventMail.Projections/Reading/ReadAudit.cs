using System.Diagnostics;
using System.Threading.Channels;
using EventMail.Domain.Mailboxes;
using EventMail.Domain.Reading;
using EventMail.EventStore;
using EventMail.Projections.Mailboxes;
using Microsoft.Extensions.Logging;
using EventLog = EventMail.EventStore.EventLog;

namespace EventMail.Projections.Reading;

/// <summary>
/// Writes down which messages of accounts under read auditing were given to sessions, whatever the protocol: gathered per session and mailbox, and
/// written every so often, when they are many, and at the session's end. Thread-safe.
/// </summary>
public sealed class ReadAudit : IAsyncDisposable
{
    // Below it, events would be single reads.
    private static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(100);

    private readonly EventLog _log;
    private readonly AuditedAccounts _audited;
    private readonly ReadAuditOptions _options;
    private readonly ILogger _logger;
    private readonly Lock _lock = new();
    private readonly Dictionary<(string Session, string? Reader, StreamKey Mailbox), Reads> _gathered = [];
    private readonly Channel<bool> _full = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _running;

    private ReadAudit(EventLog log, AuditedAccounts audited, ReadAuditOptions options, ILogger logger)
    {
        (_log, _audited, _logger) = (log, audited, logger);
        _options = options with { Interval = options.Interval < Shortest ? Shortest : options.Interval };
        _running = Task.Run(RunAsync);
    }

    public static async Task<ReadAudit> OpenAsync(EventLog log, ReadAuditOptions options, ILoggerFactory loggers, CancellationToken cancel) =>
        new(log, await AuditedAccounts.OpenAsync(log, cancel).ConfigureAwait(false), options, loggers.CreateLogger("EventMail.ReadAudit"));

    /// <summary>A session is about to be given content of a message. Costs a null check where nobody is under read auditing.</summary>
    /// <param name="reader">Who reads, and in which session.</param>
    public void Note(OpenMailbox mailbox, uint uid, Actor reader)
    {
        if (_audited.HasAny && (_audited.Contains(mailbox.Account) || _audited.Contains(mailbox.Viewer)))
            Gather(mailbox.Key, uid, reader);
    }

    /// <summary>The same for who is no user: an operator is given content of a message.</summary>
    public void Note(StreamKey mailbox, uint uid, Actor reader)
    {
        if (_audited.HasAny && _audited.Contains(mailbox.Tenant))
            Gather(mailbox, uid, reader);
    }

    private void Gather(StreamKey mailbox, uint uid, Actor reader)
    {
        lock (_lock)
        {
            var key = (reader.SessionId, reader.UserName, mailbox);
            if (!_gathered.TryGetValue(key, out var reads))
                _gathered[key] = reads = new(reader, mailbox, _options.Clock.GetUtcNow(), []);
            if (!reads.Uids.Add(uid) || reads.Uids.Count < _options.MaxMessages)
                return;
        }
        _full.Writer.TryWrite(true);
    }

    /// <summary>The session has ended: what it read is written now.</summary>
    public Task EndAsync(string session) => WriteAsync(Take(reads => reads.Reader.SessionId == session));

    private async Task RunAsync()
    {
        for (var started = Stopwatch.GetTimestamp(); !_stop.IsCancellationRequested;)
        {
            var left = _options.Interval - Stopwatch.GetElapsedTime(started);
            var isDue = left <= TimeSpan.Zero || !await IsFullWithinAsync(left).ConfigureAwait(false);
            await WriteAsync(Take(reads => isDue || reads.Uids.Count >= _options.MaxMessages)).ConfigureAwait(false);
            if (isDue)
                started = Stopwatch.GetTimestamp();
        }
    }

    /// <summary>False: the time is over, or all.</summary>
    private async Task<bool> IsFullWithinAsync(TimeSpan time)
    {
        using var due = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        due.CancelAfter(time);
        try
        {
            return await _full.Reader.ReadAsync(due.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    private List<Reads> Take(Predicate<Reads> which)
    {
        lock (_lock)
        {
            List<Reads> taken = [.. _gathered.Values.Where(reads => which(reads))];
            foreach (var reads in taken)
                _gathered.Remove((reads.Reader.SessionId, reads.Reader.UserName, reads.Mailbox));
            return taken;
        }
    }

    private Task WriteAsync(List<Reads> taken) => taken.Count == 0 ? Task.CompletedTask : Task.WhenAll(taken.Select(WriteAsync));

    private async Task WriteAsync(Reads reads)
    {
        try
        {
            await _log.Executor.ExecuteAsync(new NoteReads(reads), CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            // It is tried again with what comes, and at the end of the interval; what is in memory only is lost with the process.
            _logger.ReadsNotWritten(e, reads.Mailbox.Tenant, reads.Uids.Count);
            PutBack(reads);
        }
    }

    private void PutBack(Reads reads)
    {
        lock (_lock)
        {
            var key = (reads.Reader.SessionId, reads.Reader.UserName, reads.Mailbox);
            if (_gathered.TryGetValue(key, out var newer))
                reads.Uids.UnionWith(newer.Uids);
            _gathered[key] = reads;
        }
    }

    /// <summary>Writes what is gathered. The log must still be open.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(false);
        await WriteAsync(Take(_ => true)).ConfigureAwait(false);
        _audited.Dispose();
        _stop.Dispose();
    }

    /// <param name="Since">When the first was read.</param>
    private sealed record Reads(Actor Reader, StreamKey Mailbox, DateTimeOffset Since, SortedSet<uint> Uids);

    private sealed class NoteReads(Reads reads) : Command
    {
        public override IReadOnlyList<StreamRef> Streams { get; } = [ReadingKind.Of(reads.Mailbox.Tenant)];

        public override EventMetadata Metadata => reads.Reader.Because(null);

        public override void Decide(Decision decision) =>
            decision.Append(Streams[0].Key, new MessagesRead(reads.Mailbox.Id, UidSet.From(reads.Uids).ToString(), reads.Since));
    }
}

internal static partial class ReadAuditLog
{
    [LoggerMessage(1050, LogLevel.Error, "ALERT: {messages} reads of account {user_id}, which is under read auditing, could not be written to the log; trying again")]
    public static partial void ReadsNotWritten(this ILogger log, Exception error, string user_id, int messages);
}
