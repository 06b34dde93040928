using Npgsql;

namespace EventMail.Projections;

/// <summary>The .sql files beside the projections.</summary>
internal static class SqlScript
{
    public static async Task RunAsync(string name, NpgsqlConnection connection, CancellationToken cancel)
    {
        await using var stream = typeof(SqlScript).Assembly.GetManifestResourceStream(name)
            ?? throw new InvalidOperationException($"{name} is not embedded");
        using var reader = new StreamReader(stream);
        await ExecuteAsync(connection, await reader.ReadToEndAsync(cancel), cancel);
    }

    /// <summary>Statements that make what is missing.</summary>
    public static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(cancel);
    }
}
