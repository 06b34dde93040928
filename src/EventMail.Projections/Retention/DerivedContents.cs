using EventMail.EventStore;
using Npgsql;

namespace EventMail.Projections.Retention;

/// <summary>What read models hold of contents themselves, in all of their generations.</summary>
internal static class DerivedContents
{
    // Every table with rows that were made of a content, and the column with its number. A test looks for a word of a message in all tables.
    private static readonly (string Table, string Column)[] Tables =
        [("message_summary", "number"), ("message_preview", "number"), ("search_text", "number"), ("maildrop_form", "content")];

    public static async Task DeleteAsync(NpgsqlDataSource source, long[] numbers, CancellationToken cancel)
    {
        while (true)
        {
            try
            {
                await DeleteOnceAsync(source, numbers, cancel).ConfigureAwait(false);
                return;
            }
            catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.UndefinedTable)
            {
                // A build was dropped since its tables were found: they are found anew.
            }
        }
    }

    private static async Task DeleteOnceAsync(NpgsqlDataSource source, long[] numbers, CancellationToken cancel)
    {
        await using var connection = await source.OpenConnectionAsync(cancel).ConfigureAwait(false);
        await using var transaction = await connection.BeginTransactionAsync(cancel).ConfigureAwait(false);
        // No table becomes another generation's between two of the statements.
        await FoldedBeforehand.HoldChangeOversAsync(connection, transaction, cancel).ConfigureAwait(false);
        foreach (var (relation, column) in await FindAsync(connection, transaction, cancel).ConfigureAwait(false))
        {
            await using var delete = new NpgsqlCommand($"delete from {relation} where {column} = any($1)", connection, transaction) { CommandTimeout = 0 };
            delete.Parameters.Add(new NpgsqlParameter<long[]> { TypedValue = numbers });
            await delete.ExecuteNonQueryAsync(cancel).ConfigureAwait(false);
        }
        await transaction.CommitAsync(cancel).ConfigureAwait(false);
    }

    private static async Task<List<(string Relation, string Column)>> FindAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, CancellationToken cancel)
    {
        await using var find = new NpgsqlCommand("""
            select format('%I.%I', n.nspname, c.relname), c.relname::text from pg_class c join pg_namespace n on n.oid = c.relnamespace
            where c.relkind = 'r' and n.nspname like $1 and c.relname = any($2)
            """, connection, transaction);
        find.Parameters.Add(new() { Value = ReadModelSchema.Name + "%" });
        find.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. Tables.Select(table => table.Table)] });
        var found = new List<(string Relation, string Column)>();
        await using var row = await find.ExecuteReaderAsync(cancel).ConfigureAwait(false);
        while (await row.ReadAsync(cancel).ConfigureAwait(false))
            found.Add((row.GetString(0), Array.Find(Tables, table => table.Table == row.GetString(1)).Column));
        return found;
    }
}
