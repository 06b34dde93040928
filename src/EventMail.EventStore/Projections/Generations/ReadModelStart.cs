using Microsoft.Extensions.Logging;
using Npgsql;

namespace EventMail.EventStore;

/// <summary>
/// The read models when a program starts: those that are there and of its version are used, those that are missing or of another one
/// are built from the log before anybody is served.
/// </summary>
internal static class ReadModelStart
{
    /// <summary>Tables from before there were generations.</summary>
    private const int FirstVersion = 1;

    private static readonly TimeSpan BusyWait = TimeSpan.FromMilliseconds(200);

    public static async Task PrepareAsync(
        EventLogOptions options, EventTypeMap types, IReadOnlyList<StreamKind> kinds, IReadOnlyList<IReadModel> models, ILogger log, CancellationToken cancel)
    {
        var generations = new Generations(new()
        {
            ConnectionString = options.ConnectionString,
            Types = types,
            DataFolder = options.DataFolder,
            Keys = options.Keys,
            Kinds = kinds,
            Models = models,
            NodeExpiry = options.NodeExpiry,
            ProgressInterval = TimeSpan.FromSeconds(5),
        });
        while (await EventSchema.EnsureAsync(options.ConnectionString, models, cancel) is { Count: > 0 } due)
        {
            log.ReadModelsDue(string.Join(", ", due));
            try
            {
                await generations.BuildAtStartAsync(due, progress => ReportAsync(progress, options, log), cancel);
            }
            catch (GenerationBusyException)
            {
                await Task.Delay(BusyWait, cancel); // another node does it
            }
        }
    }

    private static Task ReportAsync(BuildProgress progress, EventLogOptions options, ILogger log)
    {
        var models = string.Join(", ", progress.Models);
        switch (progress.Phase)
        {
            case BuildPhase.Done:
                log.ReadModelsBuilt(models);
                break;
            case BuildPhase.Folding:
                log.ReadModelsProgress(models, progress.Build.Share, progress.Build.Rate, progress.Build.Left?.TotalSeconds ?? 0);
                break;
            case BuildPhase.WaitingForOthers when !options.WaitForOthers:
                throw new GenerationRefusedException(progress.Why!);
            default:
                log.ReadModelsWait(models, progress.Why ?? "");
                break;
        }
        return Task.CompletedTask;
    }

    /// <summary>Makes the tables that can be made without the log. Under the lock of the schema.</summary>
    /// <returns>The names of those that cannot.</returns>
    public static async Task<IReadOnlyList<string>> CreateAsync(NpgsqlConnection connection, IReadOnlyList<IReadModel> models, CancellationToken cancel)
    {
        var live = await ReadModelCatalog.ReadAsync(connection, cancel);
        var (tables, isEmpty) = await TablesAsync(connection, cancel);
        var due = new List<string>();
        foreach (var model in models)
        {
            var known = live.GetValueOrDefault(model.Name);
            var isMissing = (known?.Tables ?? model.Tables).Any(table => !tables.Contains(table)) || (known is null && model.Tables.Count == 0);
            if (known is null && !isMissing)
                known = await AdoptAsync(connection, model, cancel);
            var isOther = known is not null && known.Version != model.Version;
            if ((isMissing || isOther) && !isEmpty && model is IInlineProjection { Source: ReadModelSource.Log } && model.Tables.Count > 0)
                due.Add(model.Name);
            else if (isOther && !isEmpty)
                due.Add(model.Name);
            else
                await CreateAsync(connection, model, known, isMissing, cancel);
        }
        return due;
    }

    private static async Task CreateAsync(NpgsqlConnection connection, IReadModel model, LiveReadModel? known, bool isMissing, CancellationToken cancel)
    {
        await using var transaction = await connection.BeginTransactionAsync(cancel);
        if (isMissing)
        {
            // Those that are left of several: all begin empty, and with the first event.
            foreach (var table in model.Tables.Union(known?.Tables ?? []))
                await ExecuteAsync(connection, $"drop table if exists {ReadModelSchema.Name}.{table}", cancel);
            if (model is IAsyncProjection && model.Tables.Count > 0)
                await ExecuteAsync(
                    connection, "delete from public.mt_event_progression where name = $1", cancel,
                    ReadModelCatalog.ProgressionOf(model.Name, known?.Generation ?? model.Version));
        }
        await model.CreateAsync(connection, cancel);
        if (known is null || isMissing || known.Version != model.Version || !known.Tables.SequenceEqual(model.Tables))
            await ReadModelCatalog.AddAsync(connection, model, model.Version, cancel);
        await transaction.CommitAsync(cancel);
    }

    private static async Task<LiveReadModel> AdoptAsync(NpgsqlConnection connection, IReadModel model, CancellationToken cancel)
    {
        await ReadModelCatalog.AddAsync(connection, model, model is IAsyncProjection ? model.Version : FirstVersion, cancel);
        return (await ReadModelCatalog.ReadAsync(connection, cancel))[model.Name];
    }

    private static async Task<(HashSet<string> Tables, bool IsEmpty)> TablesAsync(NpgsqlConnection connection, CancellationToken cancel)
    {
        const string sql = $"""
            select array(select relname::text from pg_class where relnamespace = '{ReadModelSchema.Name}'::regnamespace and relkind = 'r'),
              not exists (select from public.mt_events)
            """;
        await using var command = new NpgsqlCommand(sql, connection);
        await using var row = await command.ExecuteReaderAsync(cancel);
        await row.ReadAsync(cancel);
        return ([.. row.GetFieldValue<string[]>(0)], row.GetBoolean(1));
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancel, params object[] values)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        foreach (var value in values)
            command.Parameters.Add(new() { Value = value });
        await command.ExecuteNonQueryAsync(cancel);
    }
}
