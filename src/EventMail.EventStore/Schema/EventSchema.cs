using System.Globalization;
using System.Reflection;
using Npgsql;

namespace EventMail.EventStore;

/// <summary>Makes the tables of the log, or checks the ones that are there.</summary>
internal static class EventSchema
{
    /// <summary>Raised with each change of eventmail.sql that an older program could not work with.</summary>
    private const int Version = 3;

    /// <summary>Any constant of our own: every program that makes, changes or moves tables and functions takes this advisory lock first.</summary>
    internal const long Lock = 0x65_76_65_6E_74_6D_6C;

    private static readonly string[] EventColumns =
    [
        "seq_id bigint", "id uuid", "stream_id uuid", "version bigint", "data jsonb", "bdata bytea", "type character varying(500)",
        "timestamp timestamp with time zone", "tenant_id character varying", "mt_dotnet_type character varying",
        "correlation_id character varying", "causation_id character varying", "user_name character varying", "headers jsonb",
        "is_archived boolean",
    ];

    private static readonly string[] StreamColumns =
    [
        "tenant_id character varying", "id uuid", "type character varying", "version bigint", "timestamp timestamp with time zone",
        "created timestamp with time zone", "is_archived boolean",
    ];

    /// <summary>
    /// Idempotent; one node at a time, so that several may start at once. The <paramref name="models"/> make theirs under the same lock.
    /// Answers the names of those that have to be built from the log.
    /// </summary>
    public static async Task<IReadOnlyList<string>> EnsureAsync(
        string connectionString, IReadOnlyList<IReadModel> models, CancellationToken cancel)
    {
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(connectionString)
        {
            SearchPath = ReadModelSchema.SearchPath,
            Pooling = false,
            ApplicationName = "eventmail schema",
            CommandTimeout = 0, // another node may be at work for long, and so may a rebuild
            Enlist = false,
        }.ConnectionString);
        await connection.OpenAsync(cancel);
        await ExecuteAsync(connection, $"select pg_advisory_lock({Lock})", cancel); // until the connection closes
        // "already exists, skipping" is no news to anybody.
        await ExecuteAsync(connection, "set client_min_messages = warning", cancel);
        await ExecuteAsync(connection, Resource("marten.sql"), cancel);
        await CheckColumnsAsync(connection, "mt_streams", StreamColumns, cancel);
        await CheckColumnsAsync(connection, "mt_events", EventColumns, cancel);
        await CheckSequenceAsync(connection, cancel);
        await ExecuteAsync(connection, Resource("eventmail.sql"), cancel);
        await CheckVersionAsync(connection, cancel);
        await ExecuteAsync(connection, ReadModelSchema.Create, cancel);
        return await ReadModelStart.CreateAsync(connection, models, cancel);
    }

    private static async Task CheckColumnsAsync(
        NpgsqlConnection connection, string table, string[] expected, CancellationToken cancel)
    {
        const string sql = """
            select array_agg(attname || ' ' || format_type(atttypid, atttypmod) order by attnum)
            from pg_attribute where attrelid = ('public.' || $1)::regclass and attnum > 0 and not attisdropped
            """;
        await using var command = new NpgsqlCommand(sql, connection) { Parameters = { new() { Value = table } } };
        var found = (string[])(await command.ExecuteScalarAsync(cancel))!;
        if (!found.SequenceEqual(expected))
            throw new SchemaMismatchException(
                $"{table} has the columns of another Marten configuration: {string.Join(", ", found)}; expected {string.Join(", ", expected)}");
    }

    // Sessions that draw positions in advance would commit low ones late: readers rely on that not happening (SafePosition).
    private static async Task CheckSequenceAsync(NpgsqlConnection connection, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand(
            "select seqcache from pg_sequence where seqrelid = 'public.mt_events_sequence'::regclass", connection);
        if ((long)(await command.ExecuteScalarAsync(cancel))! is var cache and not 1)
            throw new SchemaMismatchException($"mt_events_sequence has CACHE {cache}; it must be 1");
    }

    private static async Task CheckVersionAsync(NpgsqlConnection connection, CancellationToken cancel)
    {
        const string sql = """
            insert into eventmail.setting (name, value) values ('schema_version', $1) on conflict (name) do nothing;
            """;
        await using (var insert = new NpgsqlCommand(sql, connection)
        {
            Parameters = { new() { Value = Version.ToString(CultureInfo.InvariantCulture) } },
        })
            await insert.ExecuteNonQueryAsync(cancel);
        await using var select = new NpgsqlCommand("select value from eventmail.setting where name = 'schema_version'", connection);
        var found = (string)(await select.ExecuteScalarAsync(cancel))!;
        if (int.Parse(found, CultureInfo.InvariantCulture) > Version)
            throw new SchemaMismatchException($"the database has schema version {found}; this program knows up to {Version}");
        await ExecuteAsync(connection, $"update eventmail.setting set value = '{Version}' where name = 'schema_version' and value <> '{Version}'", cancel);
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(cancel);
    }

    private static string Resource(string name)
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream($"EventMail.EventStore.Schema.{name}")!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
