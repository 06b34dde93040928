using Npgsql;

namespace EventMail.EventStore.Proof;

/// <summary>
/// Whether the tables of the log are tables that show all of their rows. Whoever holds the database can put something before them, so that other rows are
/// read than are there.
/// </summary>
internal static class LogTables
{
    private const string Sql = """
        select t.name, c.oid is not null, coalesce(c.relkind = 'r', false), coalesce(c.relrowsecurity, false), exists (select from pg_rewrite w where w.ev_class = c.oid),
          exists (select from pg_inherits i where i.inhparent = c.oid or i.inhrelid = c.oid),
          exists (select from pg_index i where i.indrelid = c.oid and i.indisprimary and i.indisvalid)
        from (values ('public.mt_events'), ('public.mt_streams')) t (name) left join pg_class c on c.oid = to_regclass(t.name)
        """;

    public static async Task<IReadOnlyList<ChainFault>> FaultsAsync(NpgsqlDataSource source, CancellationToken cancel)
    {
        var faults = new List<ChainFault>();
        await using var command = source.CreateCommand(Sql);
        await using var row = await command.ExecuteReaderAsync(cancel);
        while (await row.ReadAsync(cancel))
        {
            var name = row.GetString(0);
            if (!row.GetBoolean(1))
                Add($"there is no {name}");
            else if (!row.GetBoolean(2))
                Add($"{name} is no table: what is read is not what is stored");
            else
            {
                if (row.GetBoolean(3))
                    Add($"{name} has row-level security, which hides rows from some readers");
                if (row.GetBoolean(4))
                    Add($"{name} has rules, which put other statements in the place of those that read and write it");
                if (row.GetBoolean(5))
                    Add($"{name} inherits, or is inherited from: rows of other tables are read as its own");
                if (!row.GetBoolean(6))
                    Add($"{name} has no primary key: rows may stand in it twice");
            }
        }
        return faults;

        void Add(string text) => faults.Add(ChainFault.OfLog(ChainFaultKind.Table, text));
    }
}
