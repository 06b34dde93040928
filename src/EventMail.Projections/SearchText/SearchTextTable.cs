using System.Text;
using EventMail.EventStore;

namespace EventMail.Projections.SearchText;

/// <summary>The table, and the statements on it.</summary>
internal static class SearchTextTable
{
    public const string Name = "search_text";

    // The table's name when there was one for each version.
    private const string FirstName = "search_text_v2";

    /// <summary>The live table, under its name of today.</summary>
    public const string Rename = $"""
        do $$ begin
          if current_schema() = '{ReadModelSchema.Name}' and to_regclass('{Name}') is null and to_regclass('{FirstName}') is not null then
            alter table {FirstName} rename to {Name};
            alter index if exists {FirstName}_incomplete rename to {Name}_incomplete;
            alter index if exists {FirstName}_trigrams rename to {Name}_trigrams;
          end if;
        end $$;
        """;

    // Exact comparison of octets: LIKE then says for certain what contains what. Compressed inside the row up to a page, since a
    // search that the trigrams cannot answer reads row after row.
    public const string Create = $"""
        create table if not exists {Name} (
          number bigint primary key,
          complete boolean not null,
          header text collate "C" not null,
          body text collate "C" not null
        );
        select eventmail.ensure_storage('{Name}', 'header', 'main'), eventmail.ensure_storage('{Name}', 'body', 'main');
        select eventmail.ensure_index('{Name}_incomplete', 'create index {Name}_incomplete on {Name} (number) where not complete');
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
          create extension if not exists pg_trgm with schema public;
        exception when others then null;
        end $$;
        select quote_ident(n.nspname) from pg_extension e join pg_namespace n on n.oid = e.extnamespace where e.extname = 'pg_trgm';
        """;

    /// <param name="trigrams">pg_trgm's schema.</param>
    public static string CreateIndex(string trigrams) => $"""
        select eventmail.ensure_index('{Name}_trigrams',
          'create index {Name}_trigrams on {Name} using gin (header {trigrams}.gin_trgm_ops, body {trigrams}.gin_trgm_ops)');
        """;

    public const string HasIndex = $"select to_regclass('{Name}_trigrams') is not null";

    public const string Insert = $"""
        insert into {Name} (number, complete, header, body)
        select * from unnest($1::bigint[], $2::boolean[], $3::text[], $4::text[]) on conflict do nothing
        """;

    public const string Among = $"select number from {Name} where number = any($1)";

    public const string Between = $"select number from {Name} where number between $1 and $2";

    /// <summary>Changes when the table is another one, or was emptied.</summary>
    public const string Generation = $"select coalesce(pg_relation_filenode(to_regclass('{Name}')), 0)::bigint";

    public const string Incomplete = $"select number from {Name} where not complete";

    public static string FindAmong(bool inHeader) => $"select number, complete, {Contains(inHeader, 2)} from {Name} where number = any($1)";

    public static string FindEverywhere(bool inHeader) => $"select number from {Name} where {Contains(inHeader, 1)} limit $2";

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
