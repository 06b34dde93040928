using EventMail.EventStore;
using Npgsql;

namespace EventMail.Projections.Mailboxes;

/// <summary>
/// projections.message_preview: what <see cref="MessagePreviews"/> has derived. No commit writes it; a missing row is no fault.
/// </summary>
public sealed class MessagePreviewTable : IInlineProjection
{
    private const string Table = """
        create table if not exists message_preview (
          number bigint primary key,
          version smallint not null,
          text text not null
        )
        """;

    public string Name => "message_preview";

    public IReadOnlyList<string> Tables => ["message_preview"];

    public ReadModelSource Source => ReadModelSource.Contents;

    public Task CreateAsync(NpgsqlConnection connection, CancellationToken cancel) => SqlScript.ExecuteAsync(connection, Table, cancel);

    public void Fold(CommitBatch batch, NpgsqlBatch sql)
    {
    }
}
