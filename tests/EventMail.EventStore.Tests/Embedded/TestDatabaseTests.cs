using EventMail.Testing;
using Npgsql;

namespace EventMail.EventStore.Tests.Embedded;

public sealed class TestDatabaseTests
{
    [Fact]
    public async Task Each_test_has_a_database_of_its_own_cloned_from_a_template()
    {
        static async Task Build(string connectionString)
        {
            await using var source = NpgsqlDataSource.Create(connectionString);
            await using var create = source.CreateCommand("create table t (x int); insert into t values (1)");
            await create.ExecuteNonQueryAsync();
        }

        await using var one = await TestDatabase.CreateAsync("with_t", Build);
        await using var two = await TestDatabase.CreateAsync("with_t", Build);
        await using (var change = one.DataSource.CreateCommand("update t set x = 2"))
            await change.ExecuteNonQueryAsync();
        await using var read = two.DataSource.CreateCommand("select x from t");
        (await read.ExecuteScalarAsync()).ShouldBe(1);
    }

    [Fact]
    public async Task Text_sorts_by_bytes_and_lower_knows_letters_beyond_ascii()
    {
        await using var database = await TestDatabase.CreateAsync();
        await using var sorted = database.DataSource.CreateCommand(
            "select string_agg(x, '' order by x) || lower('ÄÉ') from unnest(array['b', 'a', 'Z', 'ä', '_']) x");
        (await sorted.ExecuteScalarAsync()).ShouldBe("Z_abääé");
    }

    [Fact]
    public async Task The_cluster_has_data_checksums()
    {
        await using var database = await TestDatabase.CreateAsync();
        await using var show = database.DataSource.CreateCommand("show data_checksums");
        (await show.ExecuteScalarAsync()).ShouldBe("on");
    }
}
