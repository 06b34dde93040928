using System.Text;

namespace EventMail.Projections.SearchText;

/// <summary>The table of one version of the projection, and the statements on it.</summary>
internal sealed class SearchTextTable(int version)
{
    public string Name { get; } = NameOf(version);

    // Exact comparison of octets: LIKE then says for certain what contains what. Compressed inside the row up to a page, since a
    // search that the trigrams cannot answer reads row after row.
    public string Create => $"""
        create table if not exists {Name} (
          number bigint primary key,
          complete boolean not null,
          header text collate "C" not null,
          body text collate "C" not null
        );
        select eventmail.ensure_storage('{Name}', 'header', 'main'), eventmail.ensure_storage('{Name}', 'body', 'main');
        select eventmail.ensure_index('{Name}_incomplete', 'create index {Short}_incomplete on {Name} (number) where not complete');
        do $$
        declare col name;
        begin
          if exists (select from pg_settings where name = 'default_toast_compression' and 'lz4' = any(enumvals)) then
            for col in select attname from pg_attribute
              where attrelid = '{Name}'::regclass and attname in ('header', 'body') and attcompression <> 'l' loop
              execute format('alter table {Name} alter column %I set compression lz4', col);
            end loop;
          end if;
        end $$;
        """;

    /// <summary>Answers the schema of pg_trgm, or null when it cannot be had.</summary>
    public const string FindTrigrams = """
        do $$ begin
          create extension if not exists pg_trgm;
        exception when others then null;
        end $$;
        select quote_ident(n.nspname) from pg_extension e join pg_namespace n on n.oid = e.extnamespace where e.extname = 'pg_trgm';
        """;

    /// <param name="trigrams">pg_trgm's schema.</param>
    public string CreateIndex(string trigrams) => $"""
        select eventmail.ensure_index('{Name}_trigrams',
          'create index {Short}_trigrams on {Name} using gin (header {trigrams}.gin_trgm_ops, body {trigrams}.gin_trgm_ops)');
        """;

    public string HasIndex => $"select to_regclass('{Name}_trigrams') is not null";

    /// <summary>Takes the earlier versions away, and where they stood in the log.</summary>
    public string DropEarlier => string.Concat(Enumerable.Range(1, version - 1).Select(earlier => $"""
        drop table if exists {NameOf(earlier)};
        delete from public.mt_event_progression where name = '{ProgressionOf(earlier)}';
        """));

    /// <summary>The row of mt_event_progression, with Marten's naming.</summary>
    public string Progression => ProgressionOf(version);

    public string Insert => $"""
        insert into {Name} (number, complete, header, body)
        select * from unnest($1::bigint[], $2::boolean[], $3::text[], $4::text[]) on conflict do nothing
        """;

    public string Among => $"select number from {Name} where number = any($1)";

    public string Between => $"select number from {Name} where number between $1 and $2";

    /// <summary>Changes when the table is another one, or was emptied.</summary>
    public string Generation => $"select coalesce(pg_relation_filenode(to_regclass('{Name}')), 0)::bigint";

    public string Incomplete => $"select number from {Name} where not complete";

    public string FindAmong(bool inHeader) => $"select number, complete, {Contains(inHeader, 2)} from {Name} where number = any($1)";

    public string FindEverywhere(bool inHeader) => $"select number from {Name} where {Contains(inHeader, 1)} limit $2";

    private static string NameOf(int version) => version == 1 ? "search_text" : $"search_text_v{version}";

    private static string ProgressionOf(int version) =>
        version == 1 ? $"{SearchTextProjection.ProjectionName}:All" : $"{SearchTextProjection.ProjectionName}:V{version}:All";

    private string Short => Name[(Name.IndexOf('.') + 1)..];

    private static string Contains(bool inHeader, int parameter) =>
        inHeader ? $"(body like ${parameter} or header like ${parameter})" : $"body like ${parameter}";

    /// <summary>LIKE's pattern for a text that contains this kept one.</summary>
    public static string Pattern(string kept)
    {
        var pattern = new StringBuilder("%", kept.Length + 8);
        foreach (var c in kept)
        {
            if (c is '%' or '_' or '\\')
                pattern.Append('\\');
            pattern.Append(c);
        }
        return pattern.Append('%').ToString();
    }
}
