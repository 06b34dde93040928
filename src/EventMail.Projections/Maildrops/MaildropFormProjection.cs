using EventMail.Domain.Mailboxes;
using EventMail.Domain.Messages;
using EventMail.EventStore;
using EventMail.Projections.Mailboxes;
using Npgsql;
using NpgsqlTypes;

namespace EventMail.Projections.Maildrops;

/// <summary>
/// projections.maildrop_form: a row for each of an account's contents that POP3 does not send as it is stored, so that LIST and
/// STAT tell the exact octets (RFC 1939 §11) without a look at any message. A row with content 0 says that the account has all its
/// rows. Where it is missing (the table was dropped), each login looks at those messages of INBOX that have no row, and writes one
/// for each of them, also for those that are sent as they are stored.
/// </summary>
public sealed class MaildropFormProjection : IInlineProjection
{
    private const long Complete = 0;

    private const string Table = """
        create table if not exists maildrop_form (
          tenant_id varchar not null,
          content bigint not null,
          octets bigint not null,
          ascii_octets bigint,
          internationalized boolean not null,
          primary key (tenant_id, content)
        );
        """;

    private const string Insert = """
        insert into maildrop_form (tenant_id, content, octets, ascii_octets, internationalized)
        select * from unnest($1::varchar[], $2::bigint[], $3::bigint[], $4::bigint[], $5::boolean[]) on conflict do nothing
        """;

    public string Name => "maildrop_form";

    public IReadOnlyList<string> Tables => ["maildrop_form"];

    public ReadModelSource Source => ReadModelSource.Contents;

    public Task CreateAsync(NpgsqlConnection connection, CancellationToken cancel) => SqlScript.ExecuteAsync(connection, Table, cancel);

    public void Fold(CommitBatch batch, NpgsqlBatch sql)
    {
        SortedDictionary<(string Tenant, long Content), MaildropForm>? rows = null;
        for (var i = 0; i < batch.Contents.Count; i++)
        {
            if (batch.Contents[i] is { Annotation: MessageAnnotation { Form: { } form } } content)
            {
                AddRows(batch, content.Number, form, rows ??= []);
            }
        }

        for (var i = 0; i < batch.Changes.Count; i++)
        {
            if (batch.Changes[i] is { FromVersion: 1, Events: [{ Data: MailboxCreated { Name: "INBOX" } }, ..] } opened)
            {
                (rows ??= [])[(opened.Key.Tenant, Complete)] = default;
            }
        }

        if (rows is not null)
        {
            sql.BatchCommands.Add(InsertRows(rows));
        }
    }

    /// <summary>The account's contents that are not sent as they are stored.</summary>
    internal static async Task<IReadOnlyDictionary<long, MaildropForm>> ReadAsync(
        EventLog log, string account, MailboxView inbox, CancellationToken cancel)
    {
        var forms = await ReadRowsAsync(log, account, cancel);
        if (forms.Remove(Complete))
        {
            return forms;
        }

        var (numbers, sizes) = ContentsWithoutRow(inbox, forms);
        var found = new SortedDictionary<(string, long), MaildropForm>();
        await foreach (var content in log.Contents.ReadManyAsync(numbers, sizes, keep: false, cancel: cancel))
        {
            await using (content)
            {
                var form = await FormOfAsync(content, cancel) ?? new(content.Size, content.Size, false);
                found[(account, content.Number)] = forms[content.Number] = form;
            }
        }

        if (found.Count > 0)
        {
            await using var connection = await log.DataSource.OpenConnectionAsync(cancel);
            await using var batch = new NpgsqlBatch(connection) { BatchCommands = { InsertRows(found) } };
            await batch.ExecuteNonQueryAsync(cancel);
        }

        return forms;
    }

    private static async Task<Dictionary<long, MaildropForm>> ReadRowsAsync(EventLog log, string account, CancellationToken cancel)
    {
        await using var command = log.DataSource.CreateCommand(
            "select content, octets, ascii_octets, internationalized from maildrop_form where tenant_id = $1");
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = account });
        await using var reader = await command.ExecuteReaderAsync(cancel);
        var forms = new Dictionary<long, MaildropForm>();
        while (await reader.ReadAsync(cancel))
        {
            forms[reader.GetInt64(0)] = new(reader.GetInt64(1), reader.IsDBNull(2) ? null : reader.GetInt64(2), reader.GetBoolean(3));
        }

        return forms;
    }

    private static void AddRows(
        CommitBatch batch, long content, MaildropForm form, SortedDictionary<(string Tenant, long Content), MaildropForm> rows)
    {
        foreach (var change in batch.Changes)
        {
            foreach (var e in change.Events)
            {
                var number = e.Data switch
                {
                    MessageReceived received => received.Content.Number,
                    MessageAppended appended => appended.Content.Number,
                    _ => 0,
                };
                if (number == content)
                {
                    rows[(change.Key.Tenant, content)] = form;
                }
            }
        }
    }

    private static NpgsqlBatchCommand InsertRows(SortedDictionary<(string Tenant, long Content), MaildropForm> rows) => new(Insert)
    {
        Parameters =
        {
            new NpgsqlParameter<string[]> { TypedValue = [.. rows.Keys.Select(key => key.Tenant)] },
            new NpgsqlParameter<long[]> { TypedValue = [.. rows.Keys.Select(key => key.Content)] },
            new NpgsqlParameter<long[]> { TypedValue = [.. rows.Values.Select(form => form.Octets)] },
            new NpgsqlParameter<long?[]> { TypedValue = [.. rows.Values.Select(form => form.AsciiOctets)], NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bigint },
            new NpgsqlParameter<bool[]> { TypedValue = [.. rows.Values.Select(form => form.IsInternationalized)] },
        },
    };

    private static (List<long> Numbers, List<long> Sizes) ContentsWithoutRow(MailboxView inbox, Dictionary<long, MaildropForm> forms)
    {
        var sizes = new Dictionary<long, long>();
        foreach (var slice in inbox.Slices())
        {
            for (var i = 0; i < slice.Length; i++)
            {
                if (!forms.ContainsKey(slice.Contents[i]))
                {
                    sizes[slice.Contents[i]] = slice.Sizes[i];
                }
            }
        }

        return ([.. sizes.Keys], [.. sizes.Values]);
    }

    internal static async Task<MaildropForm?> FormOfAsync(Content content, CancellationToken cancel)
    {
        var reader = new MessageReader(MessageLimits.Default);
        var lines = new LineOctets();
        var buffer = new byte[64 * 1024];
        for (var offset = 0L; await content.ReadAtAsync(offset, buffer, cancel) is var count and > 0; offset += count)
        {
            reader.Feed(buffer.AsSpan(0, count));
            lines.Feed(buffer.AsSpan(0, count));
        }

        return MaildropForm.Of(reader.Finish(), lines);
    }
}
