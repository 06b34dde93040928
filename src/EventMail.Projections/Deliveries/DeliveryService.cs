using EventMail.Domain;
using EventMail.Domain.Deliveries;
using EventMail.Domain.Deliveries.Notifications;
using EventMail.Domain.Mailboxes;
using EventMail.EventStore;
using EventMail.Projections.Accounts;
using EventMail.Projections.Mailboxes;
using Microsoft.Extensions.Logging;
using Directory = EventMail.Projections.Accounts.Directory;

namespace EventMail.Projections.Deliveries;

/// <summary>
/// Submitted messages and the queue of those that wait. A task that ends without a rejection is durable; what many do at once is
/// committed together. Thread-safe.
/// </summary>
public sealed class DeliveryService : IAsyncDisposable
{
    private readonly CommandExecutor _executor;
    private readonly MailboxService _mailboxes;
    private readonly DeliveryOptions _options;
    private readonly DeliveryQueue _queue;
    private readonly DeliverySettling _settling;
    private readonly SenderNotifications _notifications;
    private readonly DeliveryAlarm _alarm;
    private readonly DeliveryClaims _claims;
    private readonly FirstClaims _first;
    private readonly WaitingRoom _room;
    private readonly ILogger _log;

    public DeliveryService(EventLog log, Directory directory, MailboxService mailboxes, DeliveryOptions options, ILoggerFactory loggers)
    {
        (_executor, _mailboxes, _options) = (log.Executor, mailboxes, options);
        _queue = new(log.DataSource, log.Executor.Node);
        _log = loggers.CreateLogger("EventMail.Queue");
        _notifications = new(directory, mailboxes, log.Contents, options.ReportingHost, _log);
        _settling = new(log.Executor, _notifications, directory, mailboxes, options);
        _alarm = new(log.Executor.Feed, _queue, options, _log, (dead, cancel) => _claims!.GiveUpHeldAsync(dead, cancel));
        _claims = new(log.Executor, _queue, _settling, _alarm, options.Clock, _log);
        _first = new(log.Executor, _claims, options.Clock, _log);
        _room = new(log.DataSource, options.Waiting, options.Clock);
        Operations = new(log, options.Rules);
    }

    /// <summary>What operators see and do.</summary>
    public DeliveryOperations Operations { get; }

    /// <summary>
    /// Takes a message in: it is in the queue for its recipients elsewhere and in the mailboxes of those here, in one transaction. One
    /// that is to be held (FUTURERELEASE) waits in the queue for those here as well.
    /// </summary>
    /// <param name="locals">The recipients that are here.</param>
    /// <param name="copy">Also goes, as \Seen, into the account's mailbox for sent mail; null for none. May be the content.</param>
    public async Task<Result<Submitted>> SubmitAsync(
        Submission submission, StagedContent content, IReadOnlyList<SubmittedLocal> locals, QuotaRule rule, Actor actor, string? cause,
        CancellationToken cancel, StagedContent? copy = null)
    {
        var now = _options.Clock.GetUtcNow();
        if (submission.HoldUntil > now)
            locals = [];
        // One account that several addresses lead to gets one.
        var arrivals = locals.GroupBy(local => local.Local.Account, StringComparer.Ordinal).ToList();
        var receiving = await _mailboxes.Arrivals.ReceivingAsync(
            [.. arrivals.Select(arrival => arrival.First().Local)], content, submission.Sender, submission.MessageId, rule, cancel);
        if (receiving.Rejection is { } rejection)
            return rejection;
        var message = new MessageSubmitted(
            submission.Sender, new ContentRef(0, content.DigestHex, content.Size), submission.Skip, submission.MessageId,
            submission.EnvelopeId, submission.Return, submission.Body, submission.SmtpUtf8, submission.RequireTls, submission.HoldUntil,
            submission.DeliverBy, submission.Priority, submission.Recipients, submission.TlsOptional, submission.FutureRelease);
        int[][] positions = [.. arrivals.Select(arrival => arrival.Select(local => local.Recipient).Distinct().ToArray())];
        var notices = await _notifications.PrepareAsync(
            submission.Account, message, now, Arrived(message, positions), _notifications.Staged(content, submission.Skip), now, cancel);
        var sent = copy is null ? null : await _mailboxes.Arrivals.SentCopyAsync(submission.Account, copy, cancel);
        var delivery = new StreamKey(submission.Account, Guid.CreateVersion7(now));
        var waiting = Waiting(message, positions);
        var claim = message.HoldUntil > now ? null : _first.Of(delivery, waiting);
        var outcome = await _executor.ExecuteAsync(
            new SubmitCommand(delivery, message, content, new(receiving.Value!, positions), sent, claim, notices, _room, actor.Because(cause)), cancel);
        _mailboxes.NoteRefusal(outcome);
        if (ReferenceEquals(outcome.Rejection, DeliveryRejections.TooMuchWaiting))
            _log.TooMuchWaiting(submission.Account, submission.Sender, content.Size);
        if (outcome.Rejection is not null)
            return Refused(outcome);
        // How long the queue is, is not told: that would be a question to the database for each message (`queue list` asks it).
        if (waiting.Count > 0)
            _log.Enqueued(
                delivery.Id, message.MessageId, message.Sender, waiting.Count, waiting.Distinct().Count(), message.Priority, message.Content.Size);
        if (claim is not null)
            await _first.HandOverAsync(claim);
        if (copy is not null && (sent is null ? "the account has no Sent mailbox" : sent.Missed) is { } reason)
            _log.SentCopyMissing(delivery.Id, message.MessageId, message.Sender, reason);
        return (Submitted)outcome.Result!;
    }

    /// <summary>
    /// The account has been refused for what it has waiting, and still has too much: it need not send the message first. False says
    /// nothing for sure.
    /// </summary>
    /// <param name="size">The message's as far as it is known, else 0.</param>
    public ValueTask<bool> HasTooMuchWaitingAsync(string account, long size, CancellationToken cancel) => _room.IsFullAsync(account, size, cancel);

    // The domain of each recipient who is not here.
    private static List<string> Waiting(MessageSubmitted message, int[][] arrived)
    {
        var here = arrived.SelectMany(positions => positions).ToHashSet();
        return [.. message.Recipients.Where((_, position) => !here.Contains(position)).Select(recipient => recipient.Domain)];
    }

    // RFC 3461 §5.2.8: who asked for it is told of those who have it.
    private static IReadOnlyList<SenderNotice> Arrived(MessageSubmitted message, int[][] positions)
    {
        var told = positions.SelectMany(several => several).Distinct().Where(position => (message.Recipients[position].Notify & NotifyOn.Success) != 0)
            .Select(LocalArrival.Noticed).ToList();
        return told.Count > 0 ? [new(DeliveryActions.Delivered, told)] : [];
    }

    /// <summary>
    /// Takes what is due, most urgent first. On the way it settles what needs no attempt: attempts that a dead host left behind,
    /// messages whose time is up, recipients that are here.
    /// </summary>
    public Task<IReadOnlyList<QueuedDelivery>> ClaimAsync(ClaimRequest request, CancellationToken cancel) => _claims.ClaimAsync(request, cancel);

    /// <summary>
    /// Writes down that the attempt begins. A rejection means that it must not: it was cancelled or held meanwhile, its account was
    /// suspended, or somebody else has taken it; the row is given back. Whoever begins it tells when it is <see cref="Ended"/>.
    /// </summary>
    public async Task<Result<Unit>> BeginAsync(QueuedDelivery row, CancellationToken cancel)
    {
        if (await _settling.HaltAsync(row.Stream.Tenant, cancel) != DeliveryHalt.None)
        {
            await _queue.ReturnAsync([(row.Stream, row.Domain)], cancel); // the next claim settles it
            return DeliveryRejections.Suspended;
        }
        _claims.Begun(row);
        try
        {
            var outcome = await _executor.ExecuteAsync(new DeliveryCommand(
                row.Stream, state => DeliveryDecider.Begin(state, row.Domain, row.Attempt, _options.Node), _settling.Metadata), cancel);
            if (outcome.Rejection is null)
                return default(Unit);
            _claims.Ended(row);
            await _queue.ReturnAsync([(row.Stream, row.Domain)], cancel);
            return Refused(outcome);
        }
        catch
        {
            _claims.Ended(row);
            throw;
        }
    }

    /// <summary>
    /// Writes down what came of an attempt that was begun, decides what follows, and tells the sender where that is due: one
    /// transaction.
    /// </summary>
    public Task<RecordedAttempt> RecordAsync(QueuedDelivery row, AttemptReport report, CancellationToken cancel) =>
        _settling.RecordAsync(row, report, cancel);

    /// <summary>
    /// Nobody in this process is at an attempt any more. Until then its row stays this node's even when the lease could not be
    /// renewed in time; one that has no outcome by now is unknown when its lease is over.
    /// </summary>
    public void Ended(QueuedDelivery row) => _claims.Ended(row);

    /// <summary>Gives rows back that were not begun after all: they are due for anybody. No event.</summary>
    public Task ReturnAsync(IReadOnlyCollection<QueuedDelivery> rows, CancellationToken cancel) => _claims.ReturnAsync(rows, cancel);

    /// <summary>Keeps a row for a longer transfer. False when somebody else has it by now.</summary>
    /// <param name="lease">From now on.</param>
    public Task<bool> RenewAsync(QueuedDelivery row, TimeSpan lease, CancellationToken cancel) =>
        _queue.RenewAsync(row, _options.Clock.GetUtcNow() + lease, cancel);

    /// <summary>
    /// Calls <paramref name="wake"/> whenever something may be due: a submission, a release, a retry now, of this node or another, and
    /// when a wait is over. On any thread; must be quick. The first subscription starts the watch over dead nodes' claims.
    /// </summary>
    public IDisposable OnWork(Action wake) => _alarm.Subscribe(wake);

    /// <summary>What is submitted here goes to this one without a claim, as far as it has room, until the answer is disposed.</summary>
    public IDisposable HandTo(FirstClaimant claimant) => _first.Subscribe(claimant);

    internal static Rejection Refused(Outcome outcome) => outcome.Rejection as Rejection
        ?? throw new InvalidOperationException($"a command on a delivery was refused with {outcome.Rejection}");

    public ValueTask DisposeAsync() => _alarm.DisposeAsync();
}
