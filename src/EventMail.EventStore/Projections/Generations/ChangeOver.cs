using System.Diagnostics;
using System.Globalization;
using Npgsql;

namespace EventMail.EventStore;

/// <summary>
/// Makes what was built the live generation: one short transaction, in which no event can be committed. It waits for nobody longer
/// than <see cref="GenerationOptions.LockWait"/>, since others wait behind it.
/// </summary>
/// <param name="incoming">The schema whose tables go live: the next, or the previous one.</param>
internal sealed class ChangeOver(GenerationSession session, GenerationOptions options, string incoming)
{
    private const string OthersOfVersion = """
        select count(*) from eventmail.node n
        join pg_stat_activity a on a.pid = n.pid and a.backend_start = n.backend_start
        where n.heartbeat > now() - $1 and position($2 in coalesce(n.read_models, '')) = 0
        """;

    // Who was not heard of for long may come back: not with a connection that writes what it knows.
    private const string EndCommitters = """
        select pg_terminate_backend(a.pid) from pg_stat_activity a
        where a.datname = current_database() and a.application_name like 'eventmail committer %' and not exists (
          select from eventmail.node n where a.application_name = 'eventmail committer ' || replace(n.id::text, '-', '')
            and position($1 in coalesce(n.read_models, '')) > 0)
        """;

    private const string BeforeTables = "before_tables";

    private const int PartsOfDeadlockTimeout = 20;

    // Those who waited behind a turn come first.
    private static readonly TimeSpan BetweenTurns = TimeSpan.FromMilliseconds(10);

    /// <summary>False: not now; nothing has changed.</summary>
    /// <param name="fold">Folds the events that are left; null when nothing that is changed over is folded with the commits.</param>
    public async Task<bool> TryAsync(GenerationFold? fold, IReadOnlyList<BuildRow> rows, Func<BuildPhase, string?, Task> report, CancellationToken cancel)
    {
        var live = await ReadModelCatalog.ReadAsync(session.Writer, cancel);
        var position = fold?.Position ?? 0;
        options.Processor?.BesideOthers(false); // mail waits for us now
        foreach (var table in rows.SelectMany(r => r.Tables))
            await session.ExecuteAsync($"analyze {incoming}.{table}", cancel);
        await using var transaction = await session.Writer.BeginTransactionAsync(cancel);
        try
        {
            if (!await LockAsync(transaction, [.. rows.SelectMany(r => live.GetValueOrDefault(r.Name)?.Tables ?? []).Distinct()], cancel))
                return await InUseAsync();
            if (incoming == ReadModelSchema.Next)
                await FoldedBeforehand.RequireNoneAsync(session.Writer, transaction, "eventmail.read_model_build", cancel);
            foreach (var row in rows)
            {
                if (live.GetValueOrDefault(row.Name) is not { } now || now.Version == row.Version)
                    continue;
                if (await OthersAsync(transaction, NodeModels.Word(row.Name, row.Version), cancel) is > 0 and var others)
                {
                    await transaction.RollbackAsync(cancel);
                    await report(BuildPhase.WaitingForOthers, $"{others} programs that are running fold {row.Name} in version {now.Version}; stop them, and this one goes on");
                    return false;
                }
            }
            if (fold is not null)
            {
                var (_, last) = await session.EndAsync(cancel);
                await fold.AdvanceAsync(last, transaction, cancel);
            }
            await MoveAsync(transaction, rows, live, fold?.Position, cancel);
            await transaction.CommitAsync(CancellationToken.None);
            return true;
        }
        catch (PostgresException e) when (e.SqlState is PostgresErrorCodes.LockNotAvailable or PostgresErrorCodes.DeadlockDetected)
        {
            return await InUseAsync();
        }
        catch
        {
            fold?.StartAgain(position);
            throw;
        }

        async Task<bool> InUseAsync()
        {
            await transaction.RollbackAsync(cancel);
            fold?.StartAgain(position);
            await report(BuildPhase.WaitingForLock, "somebody is using the tables (a pg_dump, a long query, a program that starts)");
            return false;
        }
    }

    // First those who start: they see to the functions that are moved, and PostgreSQL fails whoever comes second to one ("tuple concurrently updated").
    // Then the log: who commits has its rows before those of the read models.
    private async Task<bool> LockAsync(NpgsqlTransaction transaction, string[] tables, CancellationToken cancel)
    {
        await session.ExecuteAsync(
            $"set local lock_timeout = {(int)options.LockWait.TotalMilliseconds}; select pg_advisory_xact_lock({EventSchema.Lock});"
            + " lock table public.mt_streams in share mode; lock table eventmail.node in share mode;"
            + " lock table eventmail.read_model in share row exclusive mode",
            cancel, transaction);
        var turn = await TurnAsync(transaction, cancel);
        for (var began = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(began) < options.LockWait; await Task.Delay(BetweenTurns, cancel))
        {
            await transaction.SaveAsync(BeforeTables, cancel);
            try
            {
                await session.ExecuteAsync(string.Create(CultureInfo.InvariantCulture, $"set local statement_timeout = {turn}"), cancel, transaction);
                await using (var take = new NpgsqlCommand(TakeTables(tables), session.Writer, transaction))
                    await take.ExecuteNonQueryAsync(cancel);
                await session.ExecuteAsync("set local statement_timeout to default", cancel, transaction);
                return true;
            }
            catch (PostgresException e) when (e.SqlState is PostgresErrorCodes.QueryCanceled or PostgresErrorCodes.LockNotAvailable or PostgresErrorCodes.DeadlockDetected)
            {
                await transaction.RollbackAsync(BeforeTables, cancel);
            }
        }
        return false;
    }

    private static string TakeTables(string[] tables) =>
        $"do $$ begin {string.Concat(tables.Select(table => $"if to_regclass('{ReadModelSchema.Name}.{table}') is not null then lock table {ReadModelSchema.Name}.{table} in access exclusive mode; end if; "))}end $$";

    // Whoever reads several tables may have one of them and wait for another, which we have while we wait for theirs. PostgreSQL looks for such a
    // circle when somebody has waited for so long, and ends that one's statement: we give back what we have long before, since on a busy machine we
    // may come to it late.
    private async Task<int> TurnAsync(NpgsqlTransaction transaction, CancellationToken cancel)
    {
        await using var ask = new NpgsqlCommand("select setting::int from pg_settings where name = 'deadlock_timeout'", session.Writer, transaction);
        return Math.Max(1, (int)(await ask.ExecuteScalarAsync(cancel))! / PartsOfDeadlockTimeout);
    }

    private async Task<long> OthersAsync(NpgsqlTransaction transaction, string word, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand(OthersOfVersion, session.Writer, transaction)
        {
            Parameters = { new() { Value = options.NodeExpiry }, new() { Value = word } },
        };
        return (long)(await command.ExecuteScalarAsync(cancel))!;
    }

    private async Task MoveAsync(
        NpgsqlTransaction transaction, IReadOnlyList<BuildRow> rows, Dictionary<string, LiveReadModel> live, long? folded, CancellationToken cancel)
    {
        var isBack = incoming == ReadModelSchema.Previous;
        foreach (var row in rows)
        {
            var model = options.Models.First(m => m.Name == row.Name);
            var now = live.GetValueOrDefault(row.Name);
            if (now is not null && now.Tables.SequenceEqual(row.Tables) && now.Version == row.Version && model.CarryOver(ReadModelSchema.Name, incoming) is { Length: > 0 } carry)
                await session.ExecuteAsync(
                    $"do $$ begin if to_regclass('{ReadModelSchema.Name}.{row.Tables[0]}') is not null then {carry}; end if; end $$", cancel, transaction);
            await using (var move = new NpgsqlCommand("select eventmail.change_over($1, $2, $3, $4, $5, $6)", session.Writer, transaction)
            {
                Parameters =
                {
                    new() { Value = ReadModelSchema.Name }, new() { Value = incoming }, new() { Value = ReadModelSchema.Previous },
                    new() { Value = now?.Tables ?? [] }, new() { Value = row.Tables },
                    new() { Value = (now?.PreviousTables ?? []).Union(now?.Tables ?? []).ToArray() },
                },
            })
                await move.ExecuteNonQueryAsync(cancel);
            await CatalogAsync(transaction, model, row, now, isBack, folded, cancel);
            if (now is not null && now.Version != row.Version)
            {
                await using var end = new NpgsqlCommand(EndCommitters, session.Writer, transaction) { Parameters = { new() { Value = NodeModels.Word(row.Name, row.Version) } } };
                await end.ExecuteNonQueryAsync(cancel);
            }
        }
        // What was built only because others need it.
        if (!isBack)
            await session.ExecuteAsync($"drop schema {ReadModelSchema.Next} cascade; create schema {ReadModelSchema.Next}", cancel, transaction);
    }

    private async Task CatalogAsync(
        NpgsqlTransaction transaction, IReadModel model, BuildRow row, LiveReadModel? now, bool isBack, long? folded, CancellationToken cancel)
    {
        const string change = """
            insert into eventmail.read_model (name, version, generation, tables, built) values ($1, $2, $3, $4, now())
            on conflict (name) do update set version = excluded.version, generation = excluded.generation, tables = excluded.tables,
              built = excluded.built, previous_version = $5, previous_generation = $6, previous_tables = $7, previous_position = $8
            """;
        var isAsync = model is IAsyncProjection;
        // A read model that follows the log keeps its position elsewhere: it is asked there when somebody goes back.
        object before = now is null ? DBNull.Value : isAsync ? 0L : folded ?? 0L;
        await using var batch = new NpgsqlBatch(session.Writer, transaction)
        {
            BatchCommands =
            {
                new(change)
                {
                    Parameters =
                    {
                        new() { Value = row.Name }, new() { Value = row.Version }, new() { Value = row.Generation }, new() { Value = row.Tables },
                        Int(now?.Version), Int(now?.Generation),
                        new() { Value = (object?)now?.Tables ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Array | NpgsqlTypes.NpgsqlDbType.Text },
                        new() { Value = before, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Bigint },
                    },
                },
                new("delete from eventmail.read_model_build where name = $1") { Parameters = { new() { Value = isBack ? "" : row.Name } } },
            },
        };
        if (isAsync && !isBack)
            batch.BatchCommands.Add(new("""
                insert into public.mt_event_progression (name, last_seq_id, last_updated)
                select $1, position, transaction_timestamp() from eventmail.read_model_build where name = $2
                on conflict (name) do update set last_seq_id = excluded.last_seq_id, last_updated = excluded.last_updated
                """)
            {
                Parameters = { new() { Value = ReadModelCatalog.ProgressionOf(row.Name, row.Generation) }, new() { Value = row.Name } },
            });
        // The build's row last: its position is asked for before it goes.
        if (batch.BatchCommands.Count == 3)
            (batch.BatchCommands[1], batch.BatchCommands[2]) = (batch.BatchCommands[2], batch.BatchCommands[1]);
        await batch.ExecuteNonQueryAsync(cancel);
    }

    private static NpgsqlParameter Int(int? value) => new() { Value = (object?)value ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Integer };
}
