using EventMail.EventStore.Embedded;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace EventMail.EventStore;

/// <summary>
/// The connections of whoever works on generations, and its right to: one process at a time. The one reads the log, the other writes
/// to the tables of one schema and sees no other generation's.
/// </summary>
internal sealed class GenerationSession : IAsyncDisposable
{
    // As the committer's: plans made while tables are small must not scan them once they are large. Nobody waits for its pages to be on disk.
    private const string Settings =
        "-c synchronous_commit=off -c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off -c jit=off -c plan_cache_mode=force_generic_plan";

    // PostgreSQL sends a log in pieces of 8 KiB: what has come meanwhile is taken at once.
    private const int ReadBuffer = 64 * 1024;

    // Any constant of our own.
    internal const long BuildLock = 0x67_65_6E_65_72_61_74_65;
    internal const long VerifyLock = BuildLock + 1;

    private GenerationSession(
        NpgsqlDataSource source, NpgsqlDataSource log, NpgsqlConnection writer, NpgsqlConnection reader, GenerationOptions options, long taken)
    {
        (_source, _log, Writer, Reader, _taken) = (source, log, writer, reader, taken);
        (_processor, _backends) = (options.Processor, [writer.ProcessID, reader.ProcessID]);
        foreach (var backend in _backends)
            _processor?.Take(backend);
        _keys = new(options.Keys, options.DataFolder, TimeProvider.System, NullLogger.Instance);
        Decoder = new(options.Types, new(log, _keys, options.Keys));
        Events = new(log, Decoder);
    }

    private readonly long _taken;
    private readonly OneProcessor? _processor;
    private readonly int[] _backends;
    private readonly NpgsqlDataSource _source;
    private readonly NpgsqlDataSource _log;
    private readonly KeyRing _keys; // only to read: nothing is wrapped here

    public NpgsqlConnection Writer { get; }

    public NpgsqlConnection Reader { get; }

    public EventReader Events { get; }

    public EventDecoder Decoder { get; }

    /// <summary>Null: another process is at it.</summary>
    public static async Task<GenerationSession?> TryOpenAsync(GenerationOptions options, string schema, CancellationToken cancel)
    {
        // Who only compares is in nobody's way.
        var taken = schema == ReadModelVerification.Schema ? VerifyLock : BuildLock;
        var settings = new NpgsqlConnectionStringBuilder(options.ConnectionString)
        {
            SearchPath = ReadModelSchema.SearchPathOf(schema),
            Pooling = false,
            ApplicationName = "eventmail generations",
            MaxAutoPrepare = 100,
            AutoPrepareMinUsages = 2,
            CommandTimeout = 0,
            Enlist = false,
        };
        settings.Options = $"{settings.Options} {Settings}".Trim();
        var source = NpgsqlDataSource.Create(settings);
        var log = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(options.ConnectionString)
        {
            SearchPath = "public",
            ApplicationName = "eventmail generations log",
            ReadBufferSize = ReadBuffer,
            MaxPoolSize = 3,
            CommandTimeout = 0,
            Enlist = false,
        });
        try
        {
            var writer = await source.OpenConnectionAsync(cancel);
            await using (var take = new NpgsqlCommand($"select pg_try_advisory_lock({taken})", writer))
            {
                if ((bool)(await take.ExecuteScalarAsync(cancel))!)
                {
                    var reader = await log.OpenConnectionAsync(cancel);
                    return new(source, log, writer, reader, options, taken);
                }
            }
            await writer.DisposeAsync();
        }
        catch
        {
            await source.DisposeAsync();
            await log.DisposeAsync();
            throw;
        }
        await source.DisposeAsync();
        await log.DisposeAsync();
        return null;
    }

    /// <summary>Up to where the log is complete, and its end.</summary>
    public async Task<(long Safe, long Last)> EndAsync(CancellationToken cancel) => await Events.Safe.AdvanceAsync(Reader, cancel);

    /// <summary>The last position that was drawn: it moves when somebody writes the log.</summary>
    public async Task<long> LastPositionAsync(CancellationToken cancel)
    {
        await using var command = _log.CreateCommand("select last_value from public.mt_events_sequence");
        return (long)(await command.ExecuteScalarAsync(cancel))!;
    }

    /// <summary>Drops the indexes of a schema that no constraint needs: <see cref="IReadModel.CreateAsync"/> makes them again.</summary>
    /// <param name="unique">Only the unique ones.</param>
    public Task DropIndexesAsync(string schema, bool unique, CancellationToken cancel, NpgsqlTransaction? transaction = null) => ExecuteAsync($"""
        do $$
        declare dropped regclass;
        begin
          for dropped in
            select c.oid::regclass from pg_class c join pg_index i on i.indexrelid = c.oid
            where c.relnamespace = '{schema}'::regnamespace {(unique ? "and i.indisunique" : "")} and not exists (select from pg_constraint k where k.conindid = c.oid)
          loop
            execute format('drop index %s', dropped);
          end loop;
        end $$
        """, cancel, transaction);

    public async Task ExecuteAsync(string sql, CancellationToken cancel, NpgsqlTransaction? transaction = null)
    {
        await using var command = new NpgsqlCommand(sql, Writer, transaction);
        await command.ExecuteNonQueryAsync(cancel);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var backend in _backends)
            _processor?.Leave(backend);
        try
        {
            await Reader.DisposeAsync();
            // Its server process ends a little later than it: whoever comes next need not wait for that.
            await ExecuteAsync($"select pg_advisory_unlock({_taken})", CancellationToken.None);
        }
        catch (Exception e) when (e is NpgsqlException or InvalidOperationException)
        {
            // The lock goes with the connection.
        }
        await Writer.DisposeAsync();
        await _source.DisposeAsync();
        await _log.DisposeAsync();
        _keys.Dispose();
    }
}
