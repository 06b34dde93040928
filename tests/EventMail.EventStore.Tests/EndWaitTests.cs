using EventMail.Testing;
using Npgsql;

namespace EventMail.EventStore.Tests;

/// <summary>Who waits for the log's end is told what keeps it from being read.</summary>
public sealed class EndWaitTests
{
    [Fact]
    public async Task A_transaction_that_stays_open_is_named()
    {
        await using var log = await TestLog.OpenAsync();
        await using var connection = await log.DataSource.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await DrawIdAsync(connection);
        await log.ExecuteAsync(Counters.Raise(Counters.New()));

        var open = await ToldAsync(log, open => open.Pid == connection.ProcessID);
        open.ToString().ShouldContain($"`select pg_terminate_backend({connection.ProcessID})` ends it");
        (await OpenTransaction.OldestAsync(connection, TimeSpan.FromHours(1), default)).ShouldBeNull();
        await transaction.RollbackAsync();
        (await log.Node.Reader.EndAsync()).ShouldBe(1);
    }

    [Fact]
    public async Task A_prepared_transaction_is_named_as_well()
    {
        await using var log = await TestLog.OpenAsync();
        var name = $"it's {Guid.NewGuid():n}";
        var quoted = $"'{name.Replace("'", "''", StringComparison.Ordinal)}'";
        await using (var connection = await log.DataSource.OpenConnectionAsync())
        {
            await using var begin = new NpgsqlBatch(connection)
            {
                BatchCommands = { new("begin"), new("create table prepared (n int)"), new($"prepare transaction {quoted}") },
            };
            await begin.ExecuteNonQueryAsync();
        }
        try
        {
            await log.ExecuteAsync(Counters.Raise(Counters.New()));
            var open = await ToldAsync(log, open => open.Name == name);
            open.Pid.ShouldBeNull();
            open.ToString().ShouldContain($"`rollback prepared {quoted}` in that database ends it");
        }
        finally
        {
            await log.RunAsync($"rollback prepared {quoted}");
        }
        (await log.Node.Reader.EndAsync()).ShouldBe(1);
    }

    private static async Task DrawIdAsync(NpgsqlConnection connection)
    {
        await using var draw = new NpgsqlCommand("select pg_current_xact_id()", connection);
        await draw.ExecuteScalarAsync();
    }

    // Other tests of this PostgreSQL may have an older one open for a while.
    private static async Task<OpenTransaction> ToldAsync(TestLog log, Func<OpenTransaction, bool> isOurs)
    {
        OpenTransaction? found = null;
        await Waiting.UntilAsync(async () =>
        {
            var told = new TaskCompletionSource<OpenTransaction?>();
            using var stop = new CancellationTokenSource();
            var reader = new EventReader(log.DataSource, log.Node.Reader.Decoder) { HeldUp = open => told.TrySetResult(open) };
            var end = reader.EndAsync(stop.Token);
            found = await told.Task.InTime();
            end.IsCompleted.ShouldBeFalse();
            await stop.CancelAsync();
            await Should.ThrowAsync<OperationCanceledException>(end);
            return found is not null && isOurs(found);
        }, () => $"{found}");
        return found!;
    }
}
