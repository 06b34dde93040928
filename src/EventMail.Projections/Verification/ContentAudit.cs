using System.Globalization;
using System.Security.Cryptography;
using EventMail.Domain.Retention;
using EventMail.EventStore;
using Npgsql;

namespace EventMail.Projections.Verification;

/// <summary>A message's octets are not those of which the log has the digest.</summary>
/// <param name="Fault">In one word: missing, exchanged, damaged or locked.</param>
/// <param name="Content">Its number.</param>
/// <param name="Position">Of the first event that names it.</param>
/// <param name="Text">In plain words, a sentence without its full stop.</param>
public sealed record ContentFault(string Fault, long Content, long Position, StreamKey Stream, string Type, string Text);

/// <param name="Contents">That were read, and are what the log says.</param>
/// <param name="Octets">Theirs.</param>
/// <param name="Gone">That were released or erased, as events say.</param>
/// <param name="Moved">Of accounts that came from another database, those that are not here: its log says why.</param>
public sealed record ContentSummary(long Contents, long Octets, long Gone, long Moved, long Faults);

/// <summary>
/// Reads the octets of every message that the log names and holds them against the digest there. The hashes of events say nothing of them: who has the database, the
/// files and the keys can exchange octets, or delete them without an order.
/// </summary>
public sealed class ContentAudit(EventLog log)
{
    // Positions of one statement.
    private const long Stretch = 2000;

    private static readonly string[] Naming = ["message_received", "message_appended", "message_submitted"];

    private const string Named = """
        select e.seq_id, e.tenant_id, e.stream_id, e.type, e.data->'Content'->>'Number', e.data->'Content'->>'Sha256'
        from public.mt_events e where e.seq_id > $1 and e.seq_id <= $2 and e.type = any($3) and ($4::varchar is null or e.tenant_id = $4) order by e.seq_id
        """;

    private sealed record Name(long Position, StreamKey Stream, string Type, long Number, string Digest);

    private sealed record Row(long Size, string Digest);

    /// <param name="tenant">One account's messages alone; null: all.</param>
    /// <param name="found">Told of each fault.</param>
    /// <param name="progress">Gets the position up to which the log was read, and its end.</param>
    public async Task<ContentSummary> RunAsync(string? tenant, Func<ContentFault, Task> found, Action<long, long> progress, CancellationToken cancel)
    {
        var end = await log.Reader.EndAsync(cancel).ConfigureAwait(false);
        var (read, missing) = (new HashSet<long>(), new Dictionary<long, Name>());
        var (octets, damaged, faults) = (0L, 0L, 0L);
        Task TellAsync(string fault, Name name, string text)
        {
            faults++;
            return found(new(fault, name.Number, name.Position, name.Stream, name.Type, text));
        }

        for (var after = 0L; after < end; after += Stretch)
        {
            var names = await NamesAsync(tenant, after, Math.Min(after + Stretch, end), cancel).ConfigureAwait(false);
            var rows = await RowsAsync([.. names.Select(name => name.Number).Distinct()], cancel).ConfigureAwait(false);
            var wanted = new List<Name>();
            foreach (var name in names)
            {
                if (!rows.TryGetValue(name.Number, out var row))
                    missing.TryAdd(name.Number, name);
                else if (row.Digest != name.Digest)
                    await TellAsync("exchanged", name, $"the log says that its SHA-256 is {name.Digest}, and what is stored under its number says {row.Digest}").ConfigureAwait(false);
                else if (read.Add(name.Number))
                    wanted.Add(name);
            }
            foreach (var (name, fault, text) in await ReadAsync(wanted, rows, cancel).ConfigureAwait(false))
            {
                damaged++;
                octets -= rows[name.Number].Size;
                await TellAsync(fault, name, text).ConfigureAwait(false);
            }
            octets += wanted.Sum(name => rows[name.Number].Size);
            progress(Math.Min(after + Stretch, end), end);
        }

        var (gone, moved) = (0L, 0L);
        if (missing.Count > 0)
        {
            // What is released goes in one transaction with the event that says so: whoever missed it above finds that by now.
            var explained = await GoneAsync(missing, cancel).ConfigureAwait(false);
            var arrived = await ArrivedAsync(cancel).ConfigureAwait(false);
            foreach (var name in missing.Values)
            {
                if (explained.Contains(name.Number))
                    gone++;
                else if (arrived.Contains(name.Stream.Tenant))
                    moved++;
                else
                    await TellAsync("missing", name, "nothing is stored under its number, and no event says that it was released or erased").ConfigureAwait(false);
            }
        }
        return new(read.Count - damaged, octets, gone, moved, faults);
    }

    private async Task<List<Name>> NamesAsync(string? tenant, long after, long upTo, CancellationToken cancel)
    {
        await using var command = log.DataSource.CreateCommand(Named);
        command.Parameters.Add(new() { Value = after });
        command.Parameters.Add(new() { Value = upTo });
        command.Parameters.Add(new() { Value = Naming });
        command.Parameters.Add(new() { Value = (object?)tenant ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Varchar });
        var names = new List<Name>();
        await using var row = await command.ExecuteReaderAsync(cancel).ConfigureAwait(false);
        while (await row.ReadAsync(cancel).ConfigureAwait(false))
        {
            // An event that was altered so that it names none is the chains' to tell.
            if (!row.IsDBNull(1) && !row.IsDBNull(2) && !row.IsDBNull(4) && !row.IsDBNull(5)
                && long.TryParse(row.GetString(4), NumberStyles.None, CultureInfo.InvariantCulture, out var number))
                names.Add(new(row.GetInt64(0), new(row.GetString(1), row.GetGuid(2)), row.GetString(3), number, row.GetString(5)));
        }
        return names;
    }

    private async Task<Dictionary<long, Row>> RowsAsync(long[] numbers, CancellationToken cancel)
    {
        var rows = new Dictionary<long, Row>(numbers.Length);
        if (numbers.Length == 0)
            return rows;
        await using var command = log.DataSource.CreateCommand("select number, size, digest from eventmail.content where number = any($1)");
        command.Parameters.Add(new NpgsqlParameter<long[]> { TypedValue = numbers });
        await using var row = await command.ExecuteReaderAsync(cancel).ConfigureAwait(false);
        while (await row.ReadAsync(cancel).ConfigureAwait(false))
            rows.Add(row.GetInt64(0), new(row.GetInt64(1), Convert.ToHexStringLower(row.GetFieldValue<byte[]>(2))));
        return rows;
    }

    private async Task<List<(Name Name, string Fault, string Text)>> ReadAsync(List<Name> names, Dictionary<long, Row> rows, CancellationToken cancel)
    {
        var faults = new List<(Name, string, string)>();
        for (var at = 0; at < names.Count; at++)
        {
            var rest = names[at..];
            try
            {
                await foreach (var content in log.Contents.ReadManyAsync(
                    rest.ConvertAll(name => name.Number), rest.ConvertAll(name => rows[name.Number].Size), keep: false, stored: true, cancel: cancel).ConfigureAwait(false))
                {
                    await using (content.ConfigureAwait(false))
                    {
                        var digest = await DigestAsync(content, cancel).ConfigureAwait(false);
                        if (digest != names[at].Digest)
                            faults.Add((names[at], "damaged", $"the SHA-256 of its octets is {digest}, and not {names[at].Digest}"));
                    }
                    at++;
                }
            }
            catch (ContentUnreadableException error)
            {
                // Released since its row was read, perhaps; then the next verification finds the event that says so.
                if (error is not ContentMissingException || await IsThereAsync(names[at].Number, cancel).ConfigureAwait(false))
                    faults.Add((names[at], error is ContentLockedException ? "locked" : "damaged", error.Message));
            }
            catch (InvalidDataException error)
            {
                faults.Add((names[at], "damaged", error.Message));
            }
        }
        return faults;
    }

    private static async Task<string> DigestAsync(Content content, CancellationToken cancel)
    {
        if (content.TryGetMemory(out var octets))
            return Convert.ToHexStringLower(SHA256.HashData(octets.Span));
        var stream = content.OpenRead();
        await using (stream.ConfigureAwait(false))
            return Convert.ToHexStringLower(await SHA256.HashDataAsync(stream, cancel).ConfigureAwait(false));
    }

    private async Task<bool> IsThereAsync(long number, CancellationToken cancel) => (await RowsAsync([number], cancel).ConfigureAwait(false)).Count > 0;

    private async Task<HashSet<long>> GoneAsync(Dictionary<long, Name> missing, CancellationToken cancel)
    {
        var gone = new HashSet<long>();
        var filter = new EventFilter { Types = ["contents_released", "erasure_ordered"] };
        await foreach (var e in log.Reader.ReadHistoryAsync(filter, cancel).ConfigureAwait(false))
        {
            var numbers = e.Data switch
            {
                ContentsReleased released => released.Contents,
                ErasureOrdered order => [.. order.Contents.Select(content => content.Number)],
                _ => [],
            };
            gone.UnionWith(numbers.Where(missing.ContainsKey));
        }
        return gone;
    }

    private async Task<HashSet<string>> ArrivedAsync(CancellationToken cancel)
    {
        var tenants = new HashSet<string>(StringComparer.Ordinal);
        await foreach (var e in log.Reader.ReadHistoryAsync(new() { Types = ["account_moved_in"] }, cancel).ConfigureAwait(false))
            tenants.Add(e.Stream.Tenant);
        return tenants;
    }
}
