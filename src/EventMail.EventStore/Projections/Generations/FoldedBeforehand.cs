using Npgsql;

namespace EventMail.EventStore;

/// <summary>
/// What is being folded beside the live tables when a person's key is destroyed: it was read while the key was there, and whoever folds it has the key in
/// memory. It is not what a fold of the log makes any more, and says of the person what nobody may know. So it begins anew.
/// </summary>
public static class FoldedBeforehand
{
    /// <summary>Raised where somebody who folds must begin anew.</summary>
    internal const string SqlState = "VC010";

    // The position of what must begin anew.
    private const string BeginAnew = "position = -1";

    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(50);

    /// <summary>
    /// In the transaction that destroys a key, before anything else: nothing is changed over until it ends, so that the live tables and those before them
    /// are the same from its first statement to its last.
    /// </summary>
    public static Task HoldChangeOversAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, CancellationToken cancel) =>
        RunAsync(connection, transaction, "lock table eventmail.read_model in row exclusive mode", cancel);

    /// <summary>In the transaction that destroys a key: builds and verifications that are under way, or were left, begin anew.</summary>
    public static Task BeginAnewAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, CancellationToken cancel) => RunAsync(
        connection, transaction,
        $"""
        update eventmail.read_model_build set {BeginAnew};
        do $$ begin
          if to_regclass('{VerificationProgress.Table}') is not null then update {VerificationProgress.Table} set {BeginAnew}; end if;
        end $$
        """,
        cancel);

    /// <summary>Empties what is being built, or waits until who is at it has done so.</summary>
    /// <returns>False: who is at it did not come to it in time (indexes of large tables are made at once).</returns>
    public static async Task<bool> BuildIsGoneAsync(NpgsqlDataSource source, TimeSpan patience, CancellationToken cancel)
    {
        for (var until = DateTime.UtcNow + patience; !await EmptyBuildAsync(source, cancel); await Task.Delay(Poll, cancel))
        {
            if (DateTime.UtcNow > until)
                return false;
        }
        return true;
    }

    /// <summary>In the transaction of something that is made live, or told of as compared.</summary>
    /// <param name="table">Where positions are.</param>
    internal static Task RequireNoneAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, string table, CancellationToken cancel) =>
        RunAsync(connection, transaction, $"select eventmail.require_rows(0, (select count(*) from {table} where {BeginAnew}), '{SqlState}')", cancel);

    // The rows stay and say that it begins anew.
    private static async Task<bool> EmptyBuildAsync(NpgsqlDataSource source, CancellationToken cancel)
    {
        await using var connection = await source.OpenConnectionAsync(cancel);
        await using var transaction = await connection.BeginTransactionAsync(cancel);
        await using (var any = new NpgsqlCommand($"select exists (select from eventmail.read_model_build where {BeginAnew})", connection, transaction))
            if (!(bool)(await any.ExecuteScalarAsync(cancel))!)
                return true;
        await using (var take = new NpgsqlCommand($"select pg_try_advisory_xact_lock({GenerationSession.BuildLock})", connection, transaction))
            if (!(bool)(await take.ExecuteScalarAsync(cancel))!)
                return false;
        await RunAsync(connection, transaction, $"drop schema if exists {ReadModelSchema.Next} cascade; create schema {ReadModelSchema.Next}", cancel);
        await transaction.CommitAsync(cancel);
        return true;
    }

    private static async Task RunAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, string sql, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand(sql, connection, transaction);
        await command.ExecuteNonQueryAsync(cancel);
    }
}
