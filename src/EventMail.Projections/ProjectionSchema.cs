using Npgsql;

namespace EventMail.Projections;

/// <summary>The PostgreSQL schema of all read models of this version: it may be dropped, and is built again from the log.</summary>
public static class ProjectionSchema
{
    public const string Name = "projections_v1";

    /// <summary>Runs statements that make what is missing, the schema first.</summary>
    public static async Task CreateAsync(NpgsqlConnection connection, string sql, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand($"create schema if not exists {Name};\n{sql}", connection);
        await command.ExecuteNonQueryAsync(cancel);
    }
}
