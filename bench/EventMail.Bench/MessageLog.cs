using EventMail.Domain.Mailboxes;
using EventMail.EventStore;
using EventMail.Projections;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using NpgsqlTypes;

namespace EventMail.Bench;

/// <summary>
/// A log of message events as real mail leaves it: 1,000 mailboxes of 100 accounts, of ten events six messages that come in, three changes of
/// flags, one expunge; each with its session's headers and its hash. Copied into the tables, not committed one by one.
/// </summary>
internal static class MessageLog
{
    public const int Accounts = 100;
    private const int MailboxesPerAccount = 10;

    private static readonly DateTimeOffset Began = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private static readonly byte[] Headers =
        """{"client_ip":"192.0.2.17","client_port":"51234","connection_id":"0HNH7C2K","node":"mx1","protocol":"smtp"}"""u8.ToArray();

    private sealed class Mailbox(int number)
    {
        private uint _uid;
        private uint _seen;
        private uint _gone;

        public StreamKey Key { get; } = new($"a{number % Accounts}", Guid.CreateVersion7(Began));

        public long Version { get; set; }

        public byte[]? Hash { get; set; }

        public object Next(int position, DateTimeOffset time)
        {
            if (Version == 0)
                return new MailboxCreated($"Folder {number / Accounts}", (uint)(number + 1), null);
            switch (Version % 10)
            {
                case 3 or 6 or 9 when _seen + 2 <= _uid:
                    _seen += 2;
                    return new FlagsChanged([new(@"\Seen", $"{_seen - 1}:{_seen}", "")]);
                case 0 when _gone < _seen:
                    _gone++;
                    return new MessagesExpunged($"{_gone}", SizeOf(_gone), 0, null);
                default:
                    _uid++;
                    return new MessageReceived(
                        _uid, new(position, $"{position:x64}", SizeOf(_uid)), time, $"sender{position % 5000}@far.example",
                        $"user{number % Accounts}@example.test", $"{position}.4711@far.example", []);
            }
        }

        private static long SizeOf(uint uid) => 1000 + uid * 7919L % 50_000;
    }

    public static Task<EventLog> OpenAsync(BenchDatabase database, string connectionString, IReadOnlyList<IAsyncProjection> followers) => EventLog.OpenAsync(
        new() { ConnectionString = connectionString, DataFolder = database.Folder }, EventTypes.Create(), ReadModels.Kinds, ReadModels.Inline(), followers,
        NullLoggerFactory.Instance, default);

    /// <summary>Fills a new database, and answers its connection string. Its read models are as empty as they were.</summary>
    public static async Task<string> CreateAsync(BenchDatabase database, int events)
    {
        var connectionString = await database.CreateAsync();
        await using var log = await OpenAsync(database, connectionString, []);
        await using var connection = await log.DataSource.OpenConnectionAsync();
        var mailboxes = Enumerable.Range(0, Accounts * MailboxesPerAccount).Select(n => new Mailbox(n)).ToArray();
        await using (var streams = new NpgsqlCommand(
            "insert into public.mt_streams (tenant_id, id, type, version) select t, i, 'mailbox', 0 from unnest($1::varchar[], $2::uuid[]) u (t, i)", connection)
        {
            Parameters = { new() { Value = mailboxes.Select(m => m.Key.Tenant).ToArray() }, new() { Value = mailboxes.Select(m => m.Key.Id).ToArray() } },
        })
            await streams.ExecuteNonQueryAsync();
        await CopyAsync(connection, log.Types, mailboxes, events);
        await using (var versions = new NpgsqlCommand(
            """
            update public.mt_streams s set version = w.v,
              timestamp = (select e.timestamp from public.mt_events e where e.tenant_id = s.tenant_id and e.stream_id = s.id and e.version = w.v),
              created = (select e.timestamp from public.mt_events e where e.tenant_id = s.tenant_id and e.stream_id = s.id and e.version = 1)
            from unnest($1::uuid[], $2::bigint[]) w (i, v) where s.id = w.i
            """, connection)
        {
            Parameters = { new() { Value = mailboxes.Select(m => m.Key.Id).ToArray() }, new() { Value = mailboxes.Select(m => m.Version).ToArray() } },
        })
            await versions.ExecuteNonQueryAsync();
        foreach (var sql in (string[])[$"select setval('public.mt_events_sequence', {events})", "vacuum analyze public.mt_events", "analyze public.mt_streams", "checkpoint"])
        {
            await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 600 };
            await command.ExecuteNonQueryAsync();
        }
        return connectionString;
    }

    private static async Task CopyAsync(NpgsqlConnection connection, EventTypeMap types, Mailbox[] mailboxes, int events)
    {
        const string copy = """
            copy public.mt_events (seq_id, id, tenant_id, stream_id, version, data, type, timestamp, mt_dotnet_type, correlation_id, causation_id, user_name, headers, is_archived)
            from stdin (format binary)
            """;
        var random = new Random(1);
        await using var import = await connection.BeginBinaryImportAsync(copy);
        for (var position = 1; position <= events; position++)
        {
            // Each is made by its first event; then some are busy and most are not.
            var mailbox = mailboxes[position <= mailboxes.Length ? position - 1 : (int)(random.NextDouble() * random.NextDouble() * mailboxes.Length)];
            var time = Began.AddSeconds(position);
            var data = mailbox.Next(position, time);
            var type = types.Of(data);
            var json = type.Write(data);
            mailbox.Version++;
            var id = Guid.CreateVersion7(time);
            var session = $"0198c1d2{position / 3:x8}";
            mailbox.Hash = EventHash.Of(
                new(mailbox.Key.Tenant, mailbox.Key.Id, mailbox.Version, id, type.Alias, type.DotnetType, time, "user@example.test", session, "1",
                    Headers, json, mailbox.Hash), headersAreCanonical: true);
            await import.StartRowAsync();
            await import.WriteAsync((long)position, NpgsqlDbType.Bigint);
            await import.WriteAsync(id, NpgsqlDbType.Uuid);
            await import.WriteAsync(mailbox.Key.Tenant, NpgsqlDbType.Varchar);
            await import.WriteAsync(mailbox.Key.Id, NpgsqlDbType.Uuid);
            await import.WriteAsync(mailbox.Version, NpgsqlDbType.Bigint);
            await import.WriteAsync(json, NpgsqlDbType.Jsonb);
            await import.WriteAsync(type.Alias, NpgsqlDbType.Varchar);
            await import.WriteAsync(time.UtcDateTime, NpgsqlDbType.TimestampTz);
            await import.WriteAsync(type.DotnetType, NpgsqlDbType.Varchar);
            await import.WriteAsync(session, NpgsqlDbType.Varchar);
            await import.WriteAsync("1", NpgsqlDbType.Varchar);
            await import.WriteAsync("user@example.test", NpgsqlDbType.Varchar);
            await import.WriteAsync(HashHeader.Add(Headers, mailbox.Hash), NpgsqlDbType.Jsonb);
            await import.WriteAsync(false, NpgsqlDbType.Boolean);
        }
        await import.CompleteAsync();
    }
}
