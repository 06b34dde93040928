using System.Globalization;
using EventMail.EventStore.Embedded;
using EventMail.Testing;

namespace EventMail.EventStore.Tests.Embedded;

public sealed class LowPriorityTests
{
    [Fact]
    public async Task Only_a_process_of_PostgreSQL_is_given_it()
    {
        if (!OperatingSystem.IsLinux())
            return;
        await using var database = await TestDatabase.CreateAsync();
        await using var worker = await database.DataSource.OpenConnectionAsync();
        await using var other = await database.DataSource.OpenConnectionAsync();
        var before = NicenessOf(other.ProcessID);
        var (priority, elsewhere) = (new LowPriority(ofPostgres: true), new LowPriority(ofPostgres: false));
        elsewhere.GiveToPostgres(worker.ProcessID);
        NicenessOf(worker.ProcessID).ShouldBe(before);
        priority.GiveToPostgres(worker.ProcessID);
        NicenessOf(worker.ProcessID).ShouldBe(Math.Max(before, LowPriority.Niceness));
        NicenessOf(other.ProcessID).ShouldBe(before);

        // This one is none, and there is none of that number.
        var own = NicenessOf(Environment.ProcessId);
        priority.GiveToPostgres(Environment.ProcessId);
        NicenessOf(Environment.ProcessId).ShouldBe(own);
        priority.GiveToPostgres(int.MaxValue);
        // Nobody's but a process's that has taken it on.
        priority.LeavesProcessors.ShouldBeFalse();
    }

    private static int NicenessOf(int pid) => Niceness.Of(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}"));
}
