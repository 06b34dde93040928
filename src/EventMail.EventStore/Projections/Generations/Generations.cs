using Npgsql;

namespace EventMail.EventStore;

/// <summary>
/// Read models made again beside those that serve: built, changed over, taken back. One process at a time; what it has begun any other
/// can go on with. What cannot be done now (a full disk, a database that is away, tables in use) is waited for.
/// </summary>
public sealed class Generations(GenerationOptions options)
{
    private const string DropNextSchema = $"drop schema if exists {ReadModelSchema.Next} cascade; create schema {ReadModelSchema.Next}";

    /// <summary>Builds a new generation of these, or goes on with the build that was begun.</summary>
    /// <param name="names">None: what was begun, or all of them.</param>
    /// <param name="changeOver">Makes it live at the end.</param>
    /// <exception cref="GenerationRefusedException">It cannot be done as things are.</exception>
    public Task RebuildAsync(IReadOnlyList<string> names, bool changeOver, Func<BuildProgress, Task> report, CancellationToken cancel) =>
        WorkAsync(ReadModelSchema.Next, report, async session =>
        {
            var rows = await GoOnAsync(session, await BuildRows.ReadAsync(session.Writer, cancel), names, cancel);
            if (rows.Count == 0)
                rows = await BeginAsync(session, names.Count == 0 ? [.. options.Models.Select(m => m.Name)] : names, cancel);
            await new GenerationBuild(session, options, rows, report)
                .RunAsync(changeOver ? new(session, options, ReadModelSchema.Next) : null, cancel);
        }, cancel);

    /// <summary>
    /// What a starting program needs, in place of whatever else was begun. Those that follow the log behind the commits go live empty:
    /// they lag behind anyway, and who waits for them would wait for long.
    /// </summary>
    internal Task BuildAtStartAsync(IReadOnlyList<string> names, Func<BuildProgress, Task> report, CancellationToken cancel) =>
        WorkAsync(ReadModelSchema.Next, report, async session =>
        {
            var rows = await BuildRows.ReadAsync(session.Writer, cancel);
            rows = rows.Select(r => r.Name).Order().SequenceEqual(names.Order()) ? await GoOnAsync(session, rows, names, cancel) : [];
            if (rows.Count == 0)
                rows = await BeginAsync(session, names, cancel);
            await new GenerationBuild(session, options, rows, report) { FollowLater = true }
                .RunAsync(new(session, options, ReadModelSchema.Next), cancel);
        }, cancel);

    /// <summary>Makes what was built live; what is still missing of it is built before.</summary>
    public Task SwitchAsync(Func<BuildProgress, Task> report, CancellationToken cancel) =>
        WorkAsync(ReadModelSchema.Next, report, async session =>
        {
            var rows = await GoOnAsync(session, await BuildRows.ReadAsync(session.Writer, cancel), [], cancel);
            if (rows.Count == 0)
                throw new GenerationRefusedException("Nothing is built that could be changed over to. `eventmail projections rebuild` builds.");
            await new GenerationBuild(session, options, rows, report).RunAsync(new(session, options, ReadModelSchema.Next), cancel);
        }, cancel);

    /// <summary>Makes the generation before the live one live again, caught up with the log; the live one takes its place.</summary>
    /// <param name="names">None: all that have one.</param>
    public Task RollbackAsync(IReadOnlyList<string> names, Func<BuildProgress, Task> report, CancellationToken cancel)
    {
        // Decided once: those that are back when the database goes away do not go forth again when it is there.
        Dictionary<IReadModel, int>? back = null;
        return WorkAsync(ReadModelSchema.Previous, report, async session =>
        {
            var live = await ReadModelCatalog.ReadAsync(session.Writer, cancel);
            back ??= options.Models.Where(m => names.Count == 0 ? live.GetValueOrDefault(m.Name)?.Previous is not null : names.Contains(m.Name))
                .ToDictionary(m => m, m => PreviousOf(m, live).Generation);
            if (back.Count == 0)
                throw new GenerationRefusedException("No read model has a generation before the live one.");
            var left = options.Models.Where(m => back.TryGetValue(m, out var generation) && live[m.Name].Generation != generation);
            await new GenerationReturn(session, options, report).RunAsync([.. left.Select(m => (m, PreviousOf(m, live)))], cancel);
        }, cancel);
    }

    /// <summary>
    /// Folds the log once more and compares these row by row, or goes on with it where a process ended. Those that are derived from contents
    /// are passed over: the log does not say what is in them.
    /// </summary>
    /// <param name="names">None: all.</param>
    public async Task<IReadOnlyList<VerifiedModel>> VerifyAsync(IReadOnlyList<string> names, Func<BuildProgress, Task> report, CancellationToken cancel)
    {
        RequireKnown(names);
        IReadOnlyList<VerifiedModel> found = [];
        var verified = options.Models
            .Where(m => m is { Source: ReadModelSource.Log, Tables.Count: > 0 } && (names.Count == 0 || names.Contains(m.Name))).ToList();
        var folded = ReadModelPlan.WithNeeds(options.Models, verified.OfType<IInlineProjection>()).OfType<IInlineProjection>().ToList();
        // Short pages, so that the rests between them are short as well.
        var paced = options with
        {
            PageSize = options.MostEventsPerSecond == 0 ? options.PageSize : Math.Clamp(options.MostEventsPerSecond, 100, options.PageSize),
            PagesPerWrite = 1,
        };
        await WorkAsync(ReadModelVerification.Schema, report, async session =>
            found = await new ReadModelVerification(session, paced, folded, [.. verified.OfType<IAsyncProjection>()]).RunAsync(verified, report, cancel), cancel);
        return found;
    }

    /// <summary>Gives up what is being built.</summary>
    public Task DropNextAsync(CancellationToken cancel) =>
        WorkAsync(ReadModelSchema.Next, _ => Task.CompletedTask, session =>
            session.ExecuteAsync($"begin; {DropNextSchema}; delete from eventmail.read_model_build; commit", cancel), cancel);

    /// <summary>Throws the generation before the live one away; there is no going back then.</summary>
    public Task DropPreviousAsync(CancellationToken cancel) =>
        WorkAsync(ReadModelSchema.Previous, _ => Task.CompletedTask, async session =>
        {
            var live = await ReadModelCatalog.ReadAsync(session.Writer, cancel);
            var gone = live.Values.Where(m => m is { Previous: not null } && options.Models.Any(known => known.Name == m.Name && known is IAsyncProjection))
                .Select(m => ReadModelCatalog.ProgressionOf(m.Name, m.Previous!.Generation)).ToArray();
            await using var transaction = await session.Writer.BeginTransactionAsync(cancel);
            await session.ExecuteAsync($"""
                drop schema if exists {ReadModelSchema.Previous} cascade; create schema {ReadModelSchema.Previous};
                update eventmail.read_model set previous_version = null, previous_generation = null, previous_tables = null, previous_position = null
                """, cancel, transaction);
            await using (var forget = new NpgsqlCommand("delete from public.mt_event_progression where name = any($1)", session.Writer, transaction)
            {
                Parameters = { new() { Value = gone } },
            })
                await forget.ExecuteNonQueryAsync(cancel);
            await transaction.CommitAsync(cancel);
        }, cancel);

    private PreviousGeneration PreviousOf(IReadModel model, Dictionary<string, LiveReadModel> live)
    {
        var previous = live.GetValueOrDefault(model.Name)?.Previous
            ?? throw new GenerationRefusedException($"{model.Name} has no generation before the live one.");
        return previous.Version == model.Version
            ? previous
            : throw new GenerationRefusedException(
                $"The generation of {model.Name} before the live one is of version {previous.Version}, and this program folds version {model.Version}: "
                + "the program of that version goes back to it.");
    }

    // What was begun; none where it is another version's, or other models', which another program began or another purpose. What somebody was erased from since is begun anew.
    private async Task<List<BuildRow>> GoOnAsync(GenerationSession session, List<BuildRow> rows, IReadOnlyList<string> names, CancellationToken cancel)
    {
        if (rows.Any(r => options.Models.FirstOrDefault(m => m.Name == r.Name) is not { } model || model.Version != r.Version || !model.Tables.SequenceEqual(r.Tables)))
        {
            await session.ExecuteAsync($"begin; {DropNextSchema}; delete from eventmail.read_model_build; commit", cancel);
            return [];
        }
        if (rows.Count > 0 && names.Count > 0 && !names.Order().SequenceEqual(rows.Select(r => r.Name).Order()))
            throw new GenerationRefusedException(
                $"A build of {string.Join(", ", rows.Select(r => r.Name))} was begun. `eventmail projections rebuild` goes on with it, `eventmail projections drop-next` gives it up.");
        return rows.Exists(row => row.Position < 0) ? await BeginAsync(session, [.. rows.Select(r => r.Name)], cancel) : rows;
    }

    private async Task<List<BuildRow>> BeginAsync(GenerationSession session, IReadOnlyList<string> names, CancellationToken cancel)
    {
        RequireKnown(names);
        var requested = options.Models.Where(m => names.Contains(m.Name)).ToList();
        var live = await ReadModelCatalog.ReadAsync(session.Writer, cancel);
        var (_, last) = await session.EndAsync(cancel);
        await using (var transaction = await session.Writer.BeginTransactionAsync(cancel))
        {
            await session.ExecuteAsync($"{DropNextSchema}; delete from eventmail.read_model_build; set local client_min_messages = warning", cancel, transaction);
            foreach (var model in ReadModelPlan.WithNeeds(options.Models, requested))
                await model.CreateAsync(session.Writer, cancel);
            // They are made at the end, all rows at once. Until then two mailboxes may change names within what is written together.
            await session.DropIndexesAsync(ReadModelSchema.Next, unique: false, cancel, transaction);
            await using var batch = new NpgsqlBatch(session.Writer, transaction);
            foreach (var model in requested)
            {
                var generation = live.GetValueOrDefault(model.Name)?.NextGeneration ?? Math.Max(1, model.Version);
                batch.BatchCommands.Add(BuildRows.Add(model, generation, last));
                // Of a build that was given up, under the same number.
                batch.BatchCommands.Add(SkippedEvents.Forget(ReadModelCatalog.ProgressionOf(model.Name, generation)));
            }
            await batch.ExecuteNonQueryAsync(cancel);
            await transaction.CommitAsync(cancel);
        }
        return await BuildRows.ReadAsync(session.Writer, cancel);
    }

    private void RequireKnown(IReadOnlyList<string> names)
    {
        foreach (var name in names)
        {
            if (!options.Models.Any(m => m.Name == name))
                throw new GenerationRefusedException($"There is no read model {name}. There are: {string.Join(", ", options.Models.Select(m => m.Name))}.");
        }
    }

    // Again and again: what is committed stays.
    private async Task WorkAsync(string schema, Func<BuildProgress, Task> report, Func<GenerationSession, Task> work, CancellationToken cancel)
    {
        for (var anew = false; ;)
        {
            var (phase, why) = (BuildPhase.WaitingForDatabase, "");
            try
            {
                await using var session = await GenerationSession.TryOpenAsync(options, schema, cancel)
                    ?? throw new GenerationBusyException();
                await work(session);
                return;
            }
            catch (PostgresException e) when (e.SqlState == FoldedBeforehand.SqlState)
            {
                // With a session that knows no keys yet.
                (anew, phase, why) = (true, BuildPhase.WaitingForLock, "somebody was erased meanwhile; it begins anew");
            }
            catch (Exception e) when (e is ErasureUnderWayException || (anew && e is GenerationBusyException))
            {
                (phase, why) = (BuildPhase.WaitingForLock, "somebody is being erased, or an erasure was left on its way (`eventmail erase continue`); it begins anew after it");
            }
            catch (PostgresException e) when (e.SqlState is PostgresErrorCodes.DiskFull or PostgresErrorCodes.InsufficientResources)
            {
                (phase, why) = (BuildPhase.WaitingForRoom, $"the database's disk is full ({e.MessageText}); make room, and it goes on from where it is");
            }
            catch (Exception e) when (Faults.IsLoss(e) && e is not PostgresException { SqlState: PostgresErrorCodes.InvalidPassword })
            {
                why = e.Message;
            }
            await report(new(phase, [], new(0, 0, 0, 0, 0, default, 0), why));
            await Task.Delay(options.Retry, cancel);
        }
    }
}
