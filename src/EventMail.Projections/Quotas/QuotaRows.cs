using EventMail.EventStore;
using Npgsql;
using static EventMail.EventStore.RowsStatement;

namespace EventMail.Projections.Quotas;

/// <summary>projections.quota: one row for each account that ever had a mailbox, what is in all its mailboxes.</summary>
internal static class QuotaRows
{
    /// <summary>How an account's row moves, and what it must be before.</summary>
    public readonly record struct Move(string Account, MailTotals By, QuotaTerm? Term);

    // Half-full pages: a delivery updates its row in place (HOT).
    public const string Create = """
        create table if not exists quota (
          tenant_id varchar primary key,
          bytes bigint not null,
          messages bigint not null
        ) with (fillfactor = 50);
        """;

    public const string ByAccounts = "select tenant_id, bytes, messages from quota where tenant_id = any($1)";

    private const string Upsert = $"""
        insert into quota as q (tenant_id, bytes, messages)
        select w.tenant_id, w.bytes, w.messages from {RowsStatement.Rows}
        on conflict (tenant_id) do update set bytes = q.bytes + excluded.bytes, messages = q.messages + excluded.messages
        """;

    private static readonly (string, string)[] Columns = [("tenant_id", "varchar"), ("bytes", "bigint"), ("messages", "bigint")];

    private static readonly RowsStatement Plain = new(Upsert, Columns);

    // The row is locked from its update on: what is compared stays until the commit.
    private static readonly RowsStatement OnTerms = new(
        $"""
        with moved as ({Upsert} returning q.tenant_id, q.bytes, q.messages)
        select eventmail.require_rows($7, (
          select count(*) from {RowsStatement.Rows} join moved m on m.tenant_id = w.tenant_id
          where m.bytes - w.bytes between w.least_bytes and w.most_bytes and m.messages - w.messages <= w.most_messages), '{CommitTerm.Conflict}')
        """,
        [.. Columns, ("least_bytes", "bigint"), ("most_bytes", "bigint"), ("most_messages", "bigint")]);

    /// <param name="moves">One an account, in the order in which every node locks them.</param>
    public static NpgsqlBatchCommand Write(IReadOnlyList<Move> moves)
    {
        NpgsqlParameter[] columns = [Column(moves, m => m.Account), Column(moves, m => m.By.Bytes), Column(moves, m => m.By.Messages)];
        return moves.All(move => move.Term is null)
            ? Plain.For(moves.Count, columns)
            : OnTerms.For(
                moves.Count,
                [
                    .. columns, Column(moves, m => m.Term?.LeastBytes ?? long.MinValue), Column(moves, m => m.Term?.MostBytes ?? long.MaxValue),
                    Column(moves, m => m.Term?.MostMessages ?? long.MaxValue), Value((long)moves.Count),
                ]);
    }
}
