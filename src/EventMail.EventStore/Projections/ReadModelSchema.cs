namespace EventMail.EventStore;

/// <summary>
/// The PostgreSQL schema of all read models: it may be dropped, and is built again from the log. Their SQL does not name it: each
/// connection has it as its search path, so that the same statements can fill a second set of tables in another schema beside it.
/// </summary>
public static class ReadModelSchema
{
    public const string Name = "projections";

    /// <summary>Where a new generation is built beside the live one.</summary>
    public const string Next = "projections_next";

    /// <summary>Where the generation before the live one stays, until it is dropped or the next one takes its place.</summary>
    public const string Previous = "projections_previous";

    // What it was called while a schema held one version of all read models.
    private const string FirstName = "projections_v1";

    /// <summary>The schema, under its name of today. In a transaction of its own.</summary>
    internal const string Create = $"""
        do $$
        begin
          if to_regnamespace('{Name}') is null and to_regnamespace('{FirstName}') is not null then
            alter schema {FirstName} rename to {Name};
          end if;
          create schema if not exists {Name};
          create schema if not exists {Next};
          create schema if not exists {Previous};
        end $$
        """;

    /// <summary>Of every connection whose statements name read models' tables. Extensions are in public.</summary>
    public const string SearchPath = $"{Name}, public";

    /// <summary>Of a connection that works on another generation's tables, and sees no others: what belongs to a model that is not part of it fails.</summary>
    internal static string SearchPathOf(string schema) => $"{schema}, public";
}
