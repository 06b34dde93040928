using EventMail.Domain;
using EventMail.Domain.Mailboxes;
using EventMail.Domain.Retention;
using EventMail.EventStore;
using EventMail.Projections.Accounts;
using EventMail.Projections.Erasing;
using EventMail.Projections.Mailboxes;
using Npgsql;

namespace EventMail.Projections.Retention;

/// <summary>What an order names, or would name.</summary>
/// <param name="Bytes">Of those that are still stored.</param>
/// <param name="Stored">How many are.</param>
public sealed record ErasurePlan(IReadOnlyList<ErasedContent> Contents, int Stored, long Bytes);

/// <summary>An erasure as the log tells it.</summary>
public sealed record Erasure(Guid Id, DateTimeOffset Ordered, ErasureOrdered Order, DateTimeOffset? Completed, ErasureCompleted? End);

/// <summary>
/// Makes contents unreadable wherever they are (docs/decisions/0040-erasure-by-destroying-keys.md). An order is an event; from there on each step may be done again, so that a
/// run which was ended is gone on with by the next. One erasure is carried out at a time, on whichever node. Thread-safe.
/// </summary>
public sealed class ErasureService(EventLog log, MailboxService mailboxes, TimeProvider clock)
{
    // Times that a message is copied, or comes back, while it is being erased, before it is given up for this turn.
    private const int MaxRounds = 100;

    private readonly ContentUses _uses = new(log);
    private readonly KeyRetirement _keys = new(log);

    /// <summary>What is known of contents by their digests or numbers; those that never were are left out.</summary>
    public async Task<ErasurePlan> PlanAsync(IReadOnlyCollection<ErasedContent> contents, CancellationToken cancel)
    {
        await using var command = log.DataSource.CreateCommand("select count(*), coalesce(sum(size), 0)::bigint from eventmail.content where number = any($1)");
        command.Parameters.Add(new NpgsqlParameter<long[]> { TypedValue = [.. contents.Select(content => content.Number)] });
        await using var row = await command.ExecuteReaderAsync(cancel).ConfigureAwait(false);
        await row.ReadAsync(cancel).ConfigureAwait(false);
        return new([.. contents], (int)row.GetInt64(0), row.GetInt64(1));
    }

    /// <summary>
    /// Orders it. Refused where a legal hold is on one of the contents, and where one waits in the queue. Durable when it ends; <see cref="CarryOutAsync"/> does it.
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
        var waiting = (await _uses.QueuedAsync(cancel).ConfigureAwait(false)).Find(queued => numbers.Contains(queued.Content)).Delivery;
        if (waiting.Id != default)
            return new Rejection(RejectionKind.InUse, $"A message waits in the queue ({waiting.Id}): cancel it first");
        var places = await _uses.PlacesAsync(numbers, await log.Reader.EndAsync(cancel).ConfigureAwait(false), cancel).ConfigureAwait(false);
        var all = places.Values.SelectMany(streams => streams).ToHashSet();
        StreamRef[] rules = [.. all.Select(place => place.Tenant).Append(subject).Append(null).Distinct().Select(RetentionKind.Of)];
        var erasure = ErasureKind.Of(Guid.CreateVersion7(clock.GetUtcNow()));
        // Holds are read in the transaction of the order: one that is placed now is before or behind it.
        var outcome = await log.Executor.ExecuteAsync(
            new AccountCommand(actor.Because(null), [erasure, .. rules], decision =>
            {
                var now = new RetentionRules(rules.ToDictionary(stream => stream.Key, stream => decision.State<RetentionState>(stream.Key)), default);
                if ((now.HoldOn(all) ?? now.HoldOn(subject)) is { } hold)
                    decision.Reject(new Rejection(RejectionKind.CannotChange, $"The legal hold {hold.Hold.Case} is on it"));
                else
                    decision.Append(erasure.Key, new ErasureOrdered(subject, [.. contents], reason, name));
            })
            {
                OnWhatIsLeft = true,
            },
            cancel).ConfigureAwait(false);
        return outcome.Rejection is Rejection rejection ? rejection : erasure.Key.Id;
    }

    /// <summary>All erasures, the oldest first.</summary>
    public async Task<IReadOnlyList<Erasure>> ListAsync(bool open, CancellationToken cancel)
    {
        var ids = new List<Guid>();
        await using (var command = log.DataSource.CreateCommand("select id from public.mt_streams where type = $1 and (version = 1 or not $2) order by id"))
        {
            command.Parameters.Add(new() { Value = ErasureKind.Instance.Name });
            command.Parameters.Add(new() { Value = open });
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
        await using var alone = await SessionLock.TakeAsync(log, "eventmail erasure", cancel).ConfigureAwait(false);
        var erasure = await FindAsync(id, cancel).ConfigureAwait(false) ?? throw new ArgumentException($"there is no erasure {id}", nameof(id));
        if (erasure.End is { } done)
            return done;
        long[] numbers = [.. erasure.Order.Contents.Select(content => content.Number)];
        var metadata = actor.Because($"erasure {id}");

        var (contents, files) = await StoredAsync(numbers, cancel).ConfigureAwait(false);
        long[] named = [.. contents.WrappingKeys, .. await WrappingKeyOfAsync(erasure.Order.Subject, cancel).ConfigureAwait(false)];
        // Retired before the rows go: what is retired and not destroyed is destroyed by whoever goes on with it.
        await _keys.RetireAsync(named, cancel).ConfigureAwait(false);
        var messages = await ReleaseAsync(numbers, metadata, cancel).ConfigureAwait(false);
        foreach (var file in files)
            File.Delete(file);
        await DerivedContents.DeleteAsync(log.DataSource, numbers, cancel).ConfigureAwait(false);
        if (erasure.Order.Subject is { } subject)
            await EraseSubjectAsync(subject, cancel).ConfigureAwait(false);

        var wrapping = await RetiredSinceAsync(erasure.Ordered, named, cancel).ConfigureAwait(false);
        var again = await _keys.RewrapAsync(wrapping, cancel).ConfigureAwait(false);
        await _keys.DestroyAsync(wrapping, cancel).ConfigureAwait(false);
        // Whoever was reading while the rows went has derived and written something by now.
        await DerivedContents.DeleteAsync(log.DataSource, numbers, cancel).ConfigureAwait(false);

        var stream = ErasureKind.Of(id);
        var end = new ErasureCompleted(
            contents.Count, contents.Plain, messages, [.. wrapping.Select(number => Path.GetFileNameWithoutExtension(log.Keys.PathOf(number)))], again.Keys, clock.GetUtcNow());
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

    private async Task EraseSubjectAsync(string subject, CancellationToken cancel)
    {
        await using var pause = await VerificationPause.BeginAsync(log, cancel).ConfigureAwait(false);
        await using var connection = await log.DataSource.OpenConnectionAsync(cancel).ConfigureAwait(false);
        await using var transaction = await connection.BeginTransactionAsync(cancel).ConfigureAwait(false);
        await new SubjectErasure(log).EraseAsync(connection, transaction, subject, cancel).ConfigureAwait(false);
        await transaction.CommitAsync(cancel).ConfigureAwait(false);
        if (!await FoldedBeforehand.BuildIsGoneAsync(log.DataSource, _keys.Patience, cancel).ConfigureAwait(false) || !await pause.HoldAsync(_keys.Patience, cancel).ConfigureAwait(false))
            throw new ErasureWaitsException("read models are being built or verified with what was read before, and are busy with their indexes; once they have begun anew, the next run goes on");
        await new ErasedHistory(log).MakeAnewAsync(subject, cancel).ConfigureAwait(false);
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
    private async Task<int> ReleaseAsync(long[] numbers, EventMetadata metadata, CancellationToken cancel)
    {
        var expunged = 0;
        if (numbers.Length == 0)
            return expunged;
        for (var round = 0; round < MaxRounds; round++)
        {
            var position = await log.Reader.EndAsync(cancel).ConfigureAwait(false);
            expunged += await ExpungeAsync([.. numbers], metadata, cancel).ConfigureAwait(false);
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
                return expunged;
        }
        throw new ErasureWaitsException("messages that are to be erased come back again and again; the next run goes on");
    }

    private async Task<int> ExpungeAsync(HashSet<long> numbers, EventMetadata metadata, CancellationToken cancel)
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
        var count = 0;
        foreach (var (mailbox, uids) in found)
            count += await ExpungeAsync(mailbox, uids, metadata, cancel).ConfigureAwait(false);
        return count;
    }

    // Where an account has moved away its messages are erased here as everybody's. While it is on its way the other database would have what goes here.
    private async Task<int> ExpungeAsync(StreamKey mailbox, UidSet uids, EventMetadata metadata, CancellationToken cancel)
    {
        try
        {
            return ((await log.Executor.ExecuteAsync(new EraseMessagesCommand(mailbox, uids, mailboxes.Views, metadata), cancel).ConfigureAwait(false)).Result as int?) ?? 0;
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
        if (MailboxDecider.Remove(state, uids).Value is not { Event: { } gone } removed)
            return;
        decision.Append(Mailbox, gone);
        decision.Result = (int)removed.Uids.Count;
    }
}
