using EventMail.Domain.Retention;
using EventMail.EventStore;
using EventMail.Projections.Accounts;
using Npgsql;

namespace EventMail.Projections.Retention;

/// <summary>What a run did.</summary>
/// <param name="Released">Contents that were released, or would be.</param>
/// <param name="Held">Contents whose time is over and that a legal hold keeps.</param>
/// <param name="Waiting">Contents that no message names and whose time is not over.</param>
/// <param name="Used">Contents that came to be named again while it ran.</param>
public sealed record RetentionRun(long Released, long Bytes, long Held, long Waiting, long Used);

/// <summary>
/// Releases the contents that no message names any more and whose time is over. A content's time begins when a run first finds that nothing names it.
/// A run goes through all mailboxes once and through the numbers of all contents; what it changes it changes in small commits, so it may be ended at any moment. One runs at a time, on
/// whichever node.
/// </summary>
public sealed class ContentRelease(EventLog log, RetentionBook book, TimeProvider clock)
{
    /// <summary>Contents of one event and one transaction.</summary>
    public const int Batch = 1000;

    // Numbers of one statement.
    private const int Page = 10_000;

    private readonly ContentUses _uses = new(log);

    /// <param name="told">Hears how many are released so far.</param>
    /// <returns>Null: another process is at it.</returns>
    public async Task<RetentionRun?> RunAsync(bool dryRun, Actor actor, IProgress<long>? told, CancellationToken cancel)
    {
        await using var alone = await SessionLock.TryTakeAsync(log, "eventmail retention", cancel).ConfigureAwait(false);
        if (alone is null)
            return null;
        var now = clock.GetUtcNow();
        // Whoever comes to name a content does so by an event behind this position, or is found in a mailbox.
        var position = await log.Reader.EndAsync(cancel).ConfigureAwait(false);
        var living = await _uses.LivingAsync(cancel).ConfigureAwait(false);
        await NoteUnusedAsync(living, now, cancel).ConfigureAwait(false);
        var rules = await book.ReadAsync(cancel).ConfigureAwait(false);
        var run = new RetentionRun(0, 0, 0, await CountUnusedAsync(cancel).ConfigureAwait(false), 0);
        for (var after = 0L; ;)
        {
            var due = await DueAsync(after, now - rules.Shortest, cancel).ConfigureAwait(false);
            if (due.Count == 0)
                return run with { Waiting = Math.Max(0, run.Waiting - run.Released - run.Held - run.Used) };
            after = due[^1].Number;
            var places = await _uses.PlacesAsync([.. due.Select(content => content.Number)], position, cancel).ConfigureAwait(false);
            var over = due.FindAll(content => rules.KeepOf(places[content.Number]) is { } keep && content.Since + keep <= now);
            var free = over.FindAll(content => rules.HoldOn(places[content.Number]) is null);
            run = run with { Held = run.Held + over.Count - free.Count };
            if (free.Count == 0)
                continue;
            if (!dryRun)
            {
                var before = free.Count;
                if (await RemoveUsedAsync(free, position, cancel).ConfigureAwait(false) is not { } end)
                    return run; // a mailbox is back, with contents that no event names: the next run finds them in it
                position = end;
                run = run with { Used = run.Used + before - free.Count };
                if (!await ReleaseAsync(free, places, position, actor, cancel).ConfigureAwait(false))
                {
                    run = run with { Used = run.Used + free.Count }; // the next run looks again
                    continue;
                }
            }
            run = run with { Released = run.Released + free.Count, Bytes = run.Bytes + free.Sum(content => content.Size) };
            told?.Report(run.Released);
        }
    }

    private sealed record Unused(long Number, byte[] Digest, long Size, DateTimeOffset Since, string? File);

    // The table says of every stored content that nothing names since when a run finds that.
    private async Task NoteUnusedAsync(LivingContents living, DateTimeOffset now, CancellationToken cancel)
    {
        await using (var lost = log.DataSource.CreateCommand("delete from eventmail.content_unused u where not exists (select from eventmail.content c where c.number = u.number)"))
            await lost.ExecuteNonQueryAsync(cancel).ConfigureAwait(false);
        for (var after = 0L; ;)
        {
            var (unused, used, last) = (new List<long>(), new List<long>(), after);
            await using (var page = log.DataSource.CreateCommand("""
                select c.number, u.number is not null from (select number from eventmail.content where number > $1 order by number limit $2) c
                left join eventmail.content_unused u on u.number = c.number order by c.number
                """))
            {
                page.Parameters.Add(new NpgsqlParameter<long> { TypedValue = after });
                page.Parameters.Add(new NpgsqlParameter<long> { TypedValue = Page });
                await using var row = await page.ExecuteReaderAsync(cancel).ConfigureAwait(false);
                while (await row.ReadAsync(cancel).ConfigureAwait(false))
                {
                    last = row.GetInt64(0);
                    if (living.Contains(last) == row.GetBoolean(1))
                        (row.GetBoolean(1) ? used : unused).Add(last);
                }
            }
            if (last == after)
                return;
            after = last;
            if (used.Count + unused.Count == 0)
                continue;
            await using var note = log.DataSource.CreateCommand("""
                with used as (delete from eventmail.content_unused where number = any($1))
                insert into eventmail.content_unused (number, since) select n, $3 from unnest($2::bigint[]) n on conflict do nothing
                """);
            note.Parameters.Add(new NpgsqlParameter<long[]> { TypedValue = [.. used] });
            note.Parameters.Add(new NpgsqlParameter<long[]> { TypedValue = [.. unused] });
            note.Parameters.Add(new NpgsqlParameter<DateTime> { TypedValue = now.UtcDateTime });
            await note.ExecuteNonQueryAsync(cancel).ConfigureAwait(false);
        }
    }

    private async Task<long> CountUnusedAsync(CancellationToken cancel)
    {
        await using var command = log.DataSource.CreateCommand("select count(*) from eventmail.content_unused");
        return (long)(await command.ExecuteScalarAsync(cancel).ConfigureAwait(false))!;
    }

    private async Task<List<Unused>> DueAsync(long after, DateTimeOffset before, CancellationToken cancel)
    {
        await using var command = log.DataSource.CreateCommand("""
            select c.number, c.digest, c.size, u.since, case when c.data is null then c.kek is not null end
            from eventmail.content_unused u join eventmail.content c on c.number = u.number
            where u.number > $1 and u.since <= $2 order by u.number limit $3
            """);
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = after });
        command.Parameters.Add(new NpgsqlParameter<DateTime> { TypedValue = before.UtcDateTime });
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = Batch });
        var due = new List<Unused>();
        await using var row = await command.ExecuteReaderAsync(cancel).ConfigureAwait(false);
        while (await row.ReadAsync(cancel).ConfigureAwait(false))
        {
            var (number, digest) = (row.GetInt64(0), row.GetFieldValue<byte[]>(1));
            due.Add(new(
                number, digest, row.GetInt64(2), row.GetFieldValue<DateTimeOffset>(3),
                row.IsDBNull(4) ? null : log.Contents.PathOf(digest, number, encrypted: row.GetBoolean(4))));
        }
        return due;
    }

    // The names of the wrapping keys of those that are there; null for what is stored plain.
    private async Task<Dictionary<long, string?>> KeysOfAsync(List<Unused> contents, CancellationToken cancel)
    {
        await using var command = log.DataSource.CreateCommand("select number, kek from eventmail.content where number = any($1)");
        command.Parameters.Add(new NpgsqlParameter<long[]> { TypedValue = [.. contents.Select(content => content.Number)] });
        var keys = new Dictionary<long, string?>();
        await using var row = await command.ExecuteReaderAsync(cancel).ConfigureAwait(false);
        while (await row.ReadAsync(cancel).ConfigureAwait(false))
            keys.Add(row.GetInt64(0), row.IsDBNull(1) ? null : log.Keys.NameOf(row.GetInt64(1)));
        return keys;
    }

    // Those that are named since a position; answers the position up to which that is known, or null where it is not.
    private async Task<long?> RemoveUsedAsync(List<Unused> contents, long position, CancellationToken cancel)
    {
        var end = await log.Reader.EndAsync(cancel).ConfigureAwait(false);
        var used = new HashSet<long>();
        await foreach (var (content, _) in _uses.ArrivalsAsync(position, end, cancel).ConfigureAwait(false))
        {
            if (content == ContentUses.Everything)
                return null;
            used.Add(content);
        }
        contents.RemoveAll(content => used.Contains(content.Number));
        return end;
    }

    private async Task<bool> ReleaseAsync(List<Unused> contents, Dictionary<long, HashSet<StreamKey>> places, long position, Actor actor, CancellationToken cancel)
    {
        // While somebody is erased, keys are wrapped by others: what each content is under must be true at its commit.
        await using var still = await SessionLock.TakeAsync(log, ErasureService.LockName, cancel).ConfigureAwait(false);
        var keys = await KeysOfAsync(contents, cancel).ConfigureAwait(false);
        contents.RemoveAll(content => !keys.ContainsKey(content.Number)); // erased meanwhile
        if (contents.Count == 0)
            return true;
        var day = ReleaseKind.On(clock.GetUtcNow());
        // Holds are read in the same transaction: one that is placed now is before or behind it.
        var held = contents.SelectMany(content => places[content.Number]).ToHashSet();
        StreamRef[] rules = [.. held.Select(place => place.Tenant).Distinct().Order(StringComparer.Ordinal).Select(RetentionKind.Of), RetentionKind.Of(null)];
        long[] numbers = [.. contents.Select(content => content.Number)];
        var command = new AccountCommand(actor.Because("retention"), [day, .. rules.DistinctBy(stream => stream.Key)], decision =>
        {
            var now = new RetentionRules(rules.DistinctBy(stream => stream.Key).ToDictionary(stream => stream.Key, stream => decision.State<RetentionState>(stream.Key)), default);
            if (decision.TermsFailed || contents.Exists(content => now.HoldOn(places[content.Number]) is not null))
                return;
            decision.Append(day.Key, new ContentsReleased(
                numbers, [.. contents.Select(content => Convert.ToHexStringLower(content.Digest))], contents.Sum(content => content.Size),
                ReleasedContents.RunsOf(numbers.Select(number => keys[number]))));
            decision.Release(numbers, ContentUses.GuardOf(numbers, position));
            decision.Result = numbers;
        });
        if ((await log.Executor.ExecuteAsync(command, cancel).ConfigureAwait(false)).Result is null)
            return false;
        foreach (var content in contents)
            if (content.File is { } file)
                File.Delete(file); // one that stays in a crash is deleted as an orphan
        return true;
    }
}
