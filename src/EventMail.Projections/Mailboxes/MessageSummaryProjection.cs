using EventMail.EventStore;
using Npgsql;

namespace EventMail.Projections.Mailboxes;

/// <summary>
/// projections.message_summary: a row a content, by number, written with it. A missing row is no fault: the summary is derived
/// from the content then.
/// </summary>
public sealed class MessageSummaryProjection : IInlineProjection
{
    private const string Table = """
        create table if not exists message_summary (
          number bigint primary key,
          data bytea not null
        );
        select eventmail.ensure_storage('message_summary', 'data', 'external');
        """;

    // Numbers that the committer's other rows name are new; a rebuilt one may stand there already.
    private static readonly RowsStatement Insert = new(
        $"""
        insert into message_summary (number, data) select * from {RowsStatement.Rows} on conflict do nothing
        """,
        ("number", "bigint"), ("data", "bytea"));

    public string Name => "message_summary";

    public IReadOnlyList<string> Tables => ["message_summary"];

    public ReadModelSource Source => ReadModelSource.Contents;

    public Task CreateAsync(NpgsqlConnection connection, CancellationToken cancel) => SqlScript.ExecuteAsync(connection, Table, cancel);

    public void Fold(CommitBatch batch, NpgsqlBatch sql)
    {
        List<(long Number, byte[] Data)>? rows = null;
        for (var i = 0; i < batch.Contents.Count; i++)
        {
            var content = batch.Contents[i];
            if (!content.Exists && content.Annotation is MessageAnnotation annotation)
                (rows ??= []).Add((content.Number, annotation.Summary.Data));
        }
        if (rows is not null)
            sql.BatchCommands.Add(Insert.For(rows.Count, RowsStatement.Column(rows, r => r.Number), RowsStatement.Column(rows, r => r.Data)));
    }
}
