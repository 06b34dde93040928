using System.Globalization;
using EventMail.Domain;
using EventMail.Domain.Deliveries;
using EventMail.Domain.Mailboxes;
using EventMail.Domain.Retention;
using EventMail.EventStore;
using EventMail.Projections.Accounts;
using EventMail.Projections.Deliveries;
using EventMail.Projections.Erasing;
using EventMail.Projections.Mailboxes;
using Npgsql;

namespace EventMail.Projections.Retention;

/// <summary>What an order names, or would name.</summary>
/// <param name="Bytes">Of those that are still stored.</param>
/// <param name="Stored">How many are.</param>
/// <param name="Released">How many were released before: only backups have them.</param>
public sealed record ErasurePlan(IReadOnlyList<ErasedContent> Contents, int Stored, long Bytes, int Released);

/// <summary>What a day knows of names that are no account's.</summary>
/// <param name="Events">Of that day's stream.</param>
/// <param name="Sealed">There is a key that opens what is sealed of them.</param>
public sealed record DayOfStrangers(DateOnly Day, long Events, bool Sealed);

/// <summary>An erasure as the log tells it.</summary>
public sealed record Erasure(Guid Id, DateTimeOffset Ordered, ErasureOrdered Order, DateTimeOffset? Completed, ErasureCompleted? End);

/// <summary>
/// Makes contents unreadable wherever they are (docs/decisions/0040-erasure-by-destroying-keys.md). An order is an event; from there on each step may be done again, so that a
/// run which was ended is gone on with by the next. One erasure is carried out at a time, on whichever node. Thread-safe.
/// </summary>
public sealed class ErasureService(EventLog log, MailboxService mailboxes, TimeProvider clock)
{
    /// <summary>Who has it carries out an erasure, and keys are wrapped anew by nobody else.</summary>
    internal const string LockName = "eventmail erasure";

    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(200);

    /// <summary>So long an attempt may take that is under way when its message is to be taken out of the queue.</summary>
    public TimeSpan AttemptsPatience { get; init; } = TimeSpan.FromSeconds(30);

    // Times that a message is copied, or comes back, while it is being erased, before it is given up for this turn.
    private const int MaxRounds = 100;

    private readonly ContentUses _uses = new(log);
    private readonly ReleasedContents _released = new(log);
    private readonly KeyRetirement _keys = new(log);

    /// <summary>What is known of contents by their digests or numbers; those that never were are left out.</summary>
    public async Task<ErasurePlan> PlanAsync(IReadOnlyCollection<ErasedContent> contents, CancellationToken cancel)
    {
        await using var command = log.DataSource.CreateCommand("select count(*), coalesce(sum(size), 0)::bigint from eventmail.content where number = any($1)");
        command.Parameters.Add(new NpgsqlParameter<long[]> { TypedValue = [.. contents.Select(content => content.Number)] });
        await using var row = await command.ExecuteReaderAsync(cancel).ConfigureAwait(false);
        await row.ReadAsync(cancel).ConfigureAwait(false);
        return new([.. contents], (int)row.GetInt64(0), row.GetInt64(1), (await ReleasedAsync([.. contents.Select(content => content.Number)], cancel).ConfigureAwait(false)).Count);
    }

    /// <summary>How many messages of an account wait in the queue.</summary>
    public async Task<int> WaitingAsync(string account, CancellationToken cancel) => (await WaitingOfAsync(account, cancel).ConfigureAwait(false)).Count;

    private async Task<List<StreamKey>> WaitingOfAsync(string account, CancellationToken cancel) =>
        [.. (await _uses.QueuedAsync(cancel).ConfigureAwait(false)).Select(queued => queued.Delivery).Where(delivery => delivery.Tenant == account).Distinct()];

    /// <summary>What there is to erase of a day.</summary>
    public async Task<DayOfStrangers> StrangersAsync(DateOnly day, CancellationToken cancel)
    {
        var stream = SubjectErasure.StreamOf(day);
        await using var command = log.DataSource.CreateCommand("""
            select coalesce((select version from public.mt_streams where tenant_id = $1 and id = $2), 0),
              exists (select from eventmail.subject_key where subject = $3)
            """);
        command.Parameters.Add(new() { Value = stream.Tenant });
        command.Parameters.Add(new() { Value = stream.Id });
        command.Parameters.Add(new() { Value = DataSubject.Of(stream) });
        await using var row = await command.ExecuteReaderAsync(cancel).ConfigureAwait(false);
        await row.ReadAsync(cancel).ConfigureAwait(false);
        return new(day, row.GetInt64(0), row.GetBoolean(1));
    }

    /// <summary>
    /// Orders that a day's logins of names that are no account's are erased: the names, and where they came from. Refused while a legal hold is on everything.
    /// </summary>
    public async Task<Result<Guid>> OrderStrangersAsync(DateOnly day, string reason, string? name, Actor actor, CancellationToken cancel)
    {
        if (reason.Length == 0)
            return Rejection.Invalid("An erasure has a reason");
        if (day >= DateOnly.FromDateTime(clock.GetUtcNow().UtcDateTime))
            return Rejection.Invalid($"{day:yyyy-MM-dd} is not over (UTC)");
        return await StrangersAsync(day, cancel).ConfigureAwait(false) switch
        {
            { Events: 0 } => new Rejection(RejectionKind.NonExistent, $"Nobody whose name is no account's tried to log in on {day:yyyy-MM-dd}"),
            { Sealed: false } => new Rejection(RejectionKind.NonExistent, $"The strangers of {day:yyyy-MM-dd} are erased, or nothing of them was ever sealed"),
            _ => await OrderAsync(new(DataSubject.Of(SubjectErasure.StreamOf(day)), [], reason, name, Strangers: day), [], actor, cancel).ConfigureAwait(false),
        };
    }

    /// <summary>
    /// Orders it. Refused where a legal hold is on one of the contents, and where one waits in the queue, unless it is the erased account that sends it. Durable when it ends; <see cref="CarryOutAsync"/> does it.
    /// </summary>
    /// <param name="subject">The id of the account that is erased; null for contents.</param>
    /// <param name="name">The case.</param>
    public async Task<Result<Guid>> OrderAsync(
        IReadOnlyCollection<ErasedContent> contents, string? subject, string reason, string? name, Actor actor, CancellationToken cancel)
    {
        if (contents.Count == 0 && subject is null)
            return new Rejection(RejectionKind.NonExistent, "There is nothing to erase");
        if (contents.Count > ErasureState.MaxContents)
            return Rejection.Limit($"One order names {ErasureState.MaxContents} contents at most");
        if (reason.Length == 0)
            return Rejection.Invalid("An erasure has a reason");
        long[] numbers = [.. contents.Select(content => content.Number)];
        var waiting = (await _uses.QueuedAsync(cancel).ConfigureAwait(false)).Find(queued => queued.Delivery.Tenant != subject && numbers.Contains(queued.Content)).Delivery;
        if (waiting.Id != default)
            return new Rejection(RejectionKind.InUse, $"A message waits in the queue ({waiting.Id}): cancel it first");
        var places = await _uses.PlacesAsync(numbers, await log.Reader.EndAsync(cancel).ConfigureAwait(false), cancel).ConfigureAwait(false);
        var (stored, _) = await StoredAsync(numbers, cancel).ConfigureAwait(false);
        return await OrderAsync(
            new(subject, [.. contents], reason, name, stored.Count, stored.Plain), places.Values.SelectMany(streams => streams).ToHashSet(), actor, cancel).ConfigureAwait(false);
    }

    private async Task<Result<Guid>> OrderAsync(ErasureOrdered order, HashSet<StreamKey> places, Actor actor, CancellationToken cancel)
    {
        var account = order.Strangers is null ? order.Subject : null;
        StreamRef[] rules = [.. places.Select(place => place.Tenant).Append(account).Append(null).Distinct().Select(RetentionKind.Of)];
        var erasure = ErasureKind.Of(Guid.CreateVersion7(clock.GetUtcNow()));
        // Holds are read in the transaction of the order: one that is placed now is before or behind it.
        var outcome = await log.Executor.ExecuteAsync(
            new AccountCommand(actor.Because(null), [erasure, .. rules], decision =>
            {
                var now = new RetentionRules(rules.ToDictionary(stream => stream.Key, stream => decision.State<RetentionState>(stream.Key)), default);
                if ((now.HoldOn(places) ?? now.HoldOn(account)) is { } hold)
                    decision.Reject(new Rejection(RejectionKind.CannotChange, $"The legal hold {hold.Hold.Case} is on it"));
                else
                    decision.Append(erasure.Key, order);
            })
            {
                OnWhatIsLeft = true,
            },
            cancel).ConfigureAwait(false);
        return outcome.Rejection is Rejection rejection ? rejection : erasure.Key.Id;
    }

    /// <summary>All erasures, the oldest first.</summary>
    /// <param name="after">Those that were ordered behind this one; the empty id: from the first on.</param>
    /// <param name="limit">At most; null: all.</param>
    public async Task<IReadOnlyList<Erasure>> ListAsync(bool open, CancellationToken cancel, Guid after = default, int? limit = null)
    {
        var ids = new List<Guid>();
        await using (var command = log.DataSource.CreateCommand("select id from public.mt_streams where type = $1 and (version = 1 or not $2) and id > $3 order by id limit $4"))
        {
            command.Parameters.Add(new() { Value = ErasureKind.Instance.Name });
            command.Parameters.Add(new() { Value = open });
            command.Parameters.Add(new() { Value = after });
            command.Parameters.Add(new() { Value = (object?)limit ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Integer });
            await using var row = await command.ExecuteReaderAsync(cancel).ConfigureAwait(false);
            while (await row.ReadAsync(cancel).ConfigureAwait(false))
                ids.Add(row.GetGuid(0));
        }
        var all = new List<Erasure>(ids.Count);
        foreach (var id in ids)
            if (await FindAsync(id, cancel).ConfigureAwait(false) is { } erasure)
                all.Add(erasure);
        return all;
    }

    /// <summary>Null: there is no such order.</summary>
    public async Task<Erasure?> FindAsync(Guid id, CancellationToken cancel)
    {
        Erasure? erasure = null;
        await foreach (var e in log.Reader.ReadStreamAsync(ErasureKind.Of(id).Key, cancel: cancel).ConfigureAwait(false))
            erasure = e.Data switch
            {
                ErasureOrdered order => new(id, e.Timestamp, order, null, null),
                ErasureCompleted end => erasure! with { Completed = e.Timestamp, End = end },
                _ => erasure,
            };
        return erasure;
    }

    /// <summary>The positions of its events in the log.</summary>
    public async Task<long[]> PositionsAsync(Guid id, CancellationToken cancel)
    {
        var positions = new List<long>();
        await foreach (var e in log.Reader.ReadStreamAsync(ErasureKind.Of(id).Key, cancel: cancel).ConfigureAwait(false))
            positions.Add(e.Sequence);
        return [.. positions];
    }

    /// <summary>Does what was ordered, from wherever an earlier run ended. Waits for another erasure that is under way.</summary>
    /// <exception cref="ErasureWaitsException">It cannot be completed now.</exception>
    /// <exception cref="TimeoutException">Somebody else's transaction that writes contents does not end; says whose.</exception>
    public async Task<ErasureCompleted> CarryOutAsync(Guid id, Actor actor, CancellationToken cancel)
    {
        await using var alone = await SessionLock.TakeAsync(log, LockName, cancel).ConfigureAwait(false);
        var erasure = await FindAsync(id, cancel).ConfigureAwait(false) ?? throw new ArgumentException($"there is no erasure {id}", nameof(id));
        if (erasure.End is { } done)
            return done;
        long[] numbers = [.. erasure.Order.Contents.Select(content => content.Number)];
        var metadata = actor.Because($"erasure {id}");

        if (erasure.Order is { Subject: { } account, Strangers: null })
            await CancelAsync(account, metadata, cancel).ConfigureAwait(false);
        var (contents, files) = await StoredAsync(numbers, cancel).ConfigureAwait(false);
        var released = await ReleasedAsync([.. numbers], cancel).ConfigureAwait(false);
        long[] named =
        [
            .. contents.WrappingKeys, .. await WrappingKeyOfAsync(erasure.Order.Subject, cancel).ConfigureAwait(false),
            .. released.Select(content => content.WrappingKey).OfType<string>().Distinct().Select(key => long.Parse(key, NumberStyles.HexNumber, CultureInfo.InvariantCulture)),
        ];
        // Retired before the rows go: what is retired and not destroyed is destroyed by whoever goes on with it.
        await _keys.RetireAsync(named, cancel).ConfigureAwait(false);
        await ReleaseAsync(numbers, metadata, cancel).ConfigureAwait(false);
        foreach (var file in files)
            File.Delete(file);
        await DerivedContents.DeleteAsync(log.DataSource, numbers, cancel).ConfigureAwait(false);
        if (erasure.Order.Subject is { } subject)
            await EraseSubjectAsync(subject, erasure.Order.Strangers, cancel).ConfigureAwait(false);

        var wrapping = await RetiredSinceAsync(erasure.Ordered, named, cancel).ConfigureAwait(false);
        var again = await _keys.RewrapAsync(wrapping, cancel).ConfigureAwait(false);
        await _keys.DestroyAsync(wrapping, cancel).ConfigureAwait(false);
        // Whoever was reading while the rows went has derived and written something by now.
        await DerivedContents.DeleteAsync(log.DataSource, numbers, cancel).ConfigureAwait(false);

        var stream = ErasureKind.Of(id);
        // What an earlier run did is in no rows any more: the order and the log say it.
        var (messages, cancelled) = await TakenOutAsync(id, metadata, cancel).ConfigureAwait(false);
        var end = new ErasureCompleted(
            erasure.Order.Stored ?? contents.Count, (erasure.Order.Plain ?? contents.Plain) + released.Count(content => content is { IsKnown: true, WrappingKey: null }),
            messages, [.. wrapping.Select(log.Keys.NameOf)], again.Keys, clock.GetUtcNow(),
            released.Count, released.Count(content => !content.IsKnown), cancelled);
        await log.Executor.ExecuteAsync(
            new AccountCommand(metadata, [stream], decision =>
            {
                if (decision.State<ErasureState>(stream.Key).End is null)
                    decision.Append(stream.Key, end);
            }),
            cancel).ConfigureAwait(false);
        return end;
    }

    // That of the key under which the person's fields are sealed, if there is one still.
    private async Task<long[]> WrappingKeyOfAsync(string? subject, CancellationToken cancel)
    {
        if (subject is null)
            return [];
        await using var command = log.DataSource.CreateCommand("select kek from eventmail.subject_key where subject = $1");
        command.Parameters.Add(new() { Value = subject });
        return await command.ExecuteScalarAsync(cancel).ConfigureAwait(false) is long key ? [key] : [];
    }

    // Nobody is told: the sender is gone, and whom it was for is sealed under his key.
    private async Task CancelAsync(string account, EventMetadata metadata, CancellationToken cancel)
    {
        for (var until = clock.GetUtcNow() + AttemptsPatience; ; await Task.Delay(Poll, cancel).ConfigureAwait(false))
        {
            var waiting = await WaitingOfAsync(account, cancel).ConfigureAwait(false);
            if (waiting.Count == 0)
                return;
            // What is refused has ended by itself, or is being tried.
            foreach (var delivery in waiting)
                await DoAsync(
                    new DeliveryCommand(delivery, state => DeliveryDecider.Cancel(state, null, metadata.CausationId), metadata) { OnWhatIsLeft = true }, cancel).ConfigureAwait(false);
            if (clock.GetUtcNow() > until)
                throw new ErasureWaitsException("a message of the account's is being delivered at this moment; once its outcome is known, the next run goes on");
        }
    }

    // Those of these contents that were released, each once.
    private async Task<List<ReleasedContent>> ReleasedAsync(HashSet<long> numbers, CancellationToken cancel)
    {
        var found = new Dictionary<long, ReleasedContent>();
        if (numbers.Count > 0)
            await foreach (var content in _released.ReadAsync(cancel).ConfigureAwait(false))
                if (numbers.Contains(content.Number))
                    found[content.Number] = content;
        return [.. found.Values];
    }

    // How many messages left their mailboxes for it, and how many the queue, in whatever run.
    private async Task<(int Messages, int Deliveries)> TakenOutAsync(Guid id, EventMetadata metadata, CancellationToken cancel)
    {
        var (messages, deliveries) = (0L, new HashSet<StreamKey>());
        var positions = await PositionsAsync(id, cancel).ConfigureAwait(false);
        var filter = new EventFilter { Types = ["messages_expunged", "delivery_cancelled"], AfterSequence = positions[0] };
        await foreach (var e in log.Reader.ReadHistoryAsync(filter, cancel).ConfigureAwait(false))
        {
            if (e.Metadata.CausationId != metadata.CausationId)
                continue;
            if (e.Data is MessagesExpunged gone)
                messages += UidSet.Parse(gone.Uids).Count;
            else
                deliveries.Add(e.Stream);
        }
        return ((int)messages, deliveries.Count);
    }

    private async Task EraseSubjectAsync(string subject, DateOnly? strangers, CancellationToken cancel)
    {
        await using var pause = await VerificationPause.BeginAsync(log, cancel).ConfigureAwait(false);
        await using var connection = await log.DataSource.OpenConnectionAsync(cancel).ConfigureAwait(false);
        await using var transaction = await connection.BeginTransactionAsync(cancel).ConfigureAwait(false);
        var erasure = new SubjectErasure(log);
        _ = strangers is { } day
            ? await erasure.EraseStrangersAsync(connection, transaction, day, cancel).ConfigureAwait(false)
            : await erasure.EraseAsync(connection, transaction, subject, cancel).ConfigureAwait(false);
        await transaction.CommitAsync(cancel).ConfigureAwait(false);
        if (!await FoldedBeforehand.BuildIsGoneAsync(log.DataSource, _keys.Patience, cancel).ConfigureAwait(false) || !await pause.HoldAsync(_keys.Patience, cancel).ConfigureAwait(false))
            throw new ErasureWaitsException("read models are being built or verified with what was read before, and are busy with their indexes; once they have begun anew, the next run goes on");
        var history = new ErasedHistory(log);
        await (strangers is { } of ? history.MakeStrangersAnewAsync(of, cancel) : history.MakeAnewAsync(subject, cancel)).ConfigureAwait(false);
    }

    private sealed record Stored(int Count, int Plain, long[] WrappingKeys);

    private async Task<(Stored Contents, List<string> Files)> StoredAsync(long[] numbers, CancellationToken cancel)
    {
        await using var command = log.DataSource.CreateCommand("select number, digest, kek, data is null from eventmail.content where number = any($1)");
        command.Parameters.Add(new NpgsqlParameter<long[]> { TypedValue = numbers });
        var (count, plain, keys, files) = (0, 0, new HashSet<long>(), new List<string>());
        await using var row = await command.ExecuteReaderAsync(cancel).ConfigureAwait(false);
        while (await row.ReadAsync(cancel).ConfigureAwait(false))
        {
            count++;
            if (row.IsDBNull(2))
                plain++;
            else
                keys.Add(row.GetInt64(2));
            if (row.GetBoolean(3))
                files.Add(log.Contents.PathOf(row.GetFieldValue<byte[]>(1), row.GetInt64(0), encrypted: !row.IsDBNull(2)));
        }
        return (new(count, plain, [.. keys]), files);
    }

    // Until no mailbox names them at the commit that deletes them.
    private async Task ReleaseAsync(long[] numbers, EventMetadata metadata, CancellationToken cancel)
    {
        if (numbers.Length == 0)
            return;
        for (var round = 0; round < MaxRounds; round++)
        {
            var position = await log.Reader.EndAsync(cancel).ConfigureAwait(false);
            await ExpungeAsync([.. numbers], metadata, cancel).ConfigureAwait(false);
            // Handed in since the order, with the same octets: it is to be delivered, or cancelled, before they go.
            if ((await _uses.QueuedAsync(cancel).ConfigureAwait(false)).Exists(queued => numbers.Contains(queued.Content)))
                throw new ErasureWaitsException("a message that is to be erased waits in the queue since it was ordered; once it is gone, the next run goes on");
            var released = await log.Executor.ExecuteAsync(
                new AccountCommand(metadata, [RetentionKind.Of(null)], decision =>
                {
                    if (decision.TermsFailed)
                        return;
                    decision.Release(numbers, ContentUses.GuardOf(numbers, position));
                    decision.Result = numbers;
                }),
                cancel).ConfigureAwait(false);
            if (released.Result is not null)
                return;
        }
        throw new ErasureWaitsException("messages that are to be erased come back again and again; the next run goes on");
    }

    private async Task ExpungeAsync(HashSet<long> numbers, EventMetadata metadata, CancellationToken cancel)
    {
        var found = new List<(StreamKey Mailbox, UidSet Uids)>();
        await _uses.ForEachMailboxAsync(
            (mailbox, view) =>
            {
                var uids = new UidSet.Builder();
                foreach (var slice in view.Slices())
                    for (var i = 0; i < slice.Length; i++)
                        if (numbers.Contains(slice.Contents[i]))
                            uids.Add(slice.Uids[i]);
                if (uids.Build() is { IsEmpty: false } set)
                    found.Add((mailbox, set));
            },
            cancel).ConfigureAwait(false);
        foreach (var (mailbox, uids) in found)
            await DoAsync(new EraseMessagesCommand(mailbox, uids, mailboxes.Views, metadata), cancel).ConfigureAwait(false);
    }

    // What an account that has moved away left here is erased as everybody's. While it is on its way the other database would have what goes here.
    private async Task DoAsync(Command command, CancellationToken cancel)
    {
        try
        {
            await log.Executor.ExecuteAsync(command, cancel).ConfigureAwait(false);
        }
        catch (TenantReadOnlyException moving)
        {
            throw new ErasureWaitsException($"an account that has it ({moving.Tenant}) {moving.Reason}; once that is over, the next run goes on");
        }
    }

    // Those of an earlier run as well, whose rows are gone by now.
    private async Task<long[]> RetiredSinceAsync(DateTimeOffset ordered, long[] known, CancellationToken cancel)
    {
        await using var command = log.DataSource.CreateCommand("select kek from eventmail.retired_key where kek = any($1) or destroyed is null or retired >= $2 order by kek");
        command.Parameters.Add(new NpgsqlParameter<long[]> { TypedValue = known });
        command.Parameters.Add(new NpgsqlParameter<DateTime> { TypedValue = ordered.UtcDateTime });
        var keys = new List<long>();
        await using var row = await command.ExecuteReaderAsync(cancel).ConfigureAwait(false);
        while (await row.ReadAsync(cancel).ConfigureAwait(false))
            keys.Add(row.GetInt64(0));
        return [.. keys];
    }
}

/// <summary>Messages whose content is erased leave their mailbox, whoever's it is: a UID that is there always has the same octets (RFC 9051 §2.3.1.1).</summary>
internal sealed class EraseMessagesCommand(StreamKey mailbox, UidSet uids, MailboxViews views, EventMetadata metadata) : ViewCommand(mailbox, views, metadata)
{
    public override bool EvenMoved => true;

    protected override void Decide(Decision decision, MailboxState state)
    {
        if (MailboxDecider.Remove(state, uids).Value is not { Event: { } gone })
            return;
        decision.Append(Mailbox, gone);
    }
}
