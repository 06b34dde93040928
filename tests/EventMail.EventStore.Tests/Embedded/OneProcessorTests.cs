using System.Globalization;
using EventMail.EventStore.Embedded;
using EventMail.Testing;

namespace EventMail.EventStore.Tests.Embedded;

public sealed class OneProcessorTests
{
    [Fact]
    public async Task Processes_of_PostgreSQL_that_work_for_it_keep_to_it_while_others_are_there()
    {
        await using var database = await TestDatabase.CreateAsync();
        await using var worker = await database.DataSource.OpenConnectionAsync();
        await using var other = await database.DataSource.OpenConnectionAsync();
        var all = Of(other.ProcessID);
        var slice = ThreadSlice.Of(other.ProcessID);
        if (OneProcessor.TakeOn() is not { } processor)
        {
            (OperatingSystem.IsLinux() && Environment.ProcessorCount > 1).ShouldBeFalse();
            return;
        }
        try
        {
            Of(Environment.ProcessId).ShouldBe(ProcessorList.LastOf(all));
            processor.Take(worker.ProcessID);
            Of(worker.ProcessID).ShouldBe(ProcessorList.LastOf(all));
            Of(other.ProcessID).ShouldBe(all);
            // Linux had one slice for all before.
            if (Environment.OSVersion.Version >= new Version(6, 12))
                new[] { Environment.ProcessId, worker.ProcessID, other.ProcessID }.Select(ThreadSlice.Of).ShouldBe([ThreadSlice.Longest, ThreadSlice.Longest, slice]);
        }
        finally
        {
            processor.BesideOthers(false);
        }
        Of(worker.ProcessID).ShouldBe(all);
        Of(Environment.ProcessId).ShouldBe(all);
        new[] { Environment.ProcessId, worker.ProcessID }.Select(ThreadSlice.Of).ShouldBe([slice, slice]);
    }

    [Fact]
    public void What_is_no_process_of_PostgreSQL_is_left_alone()
    {
        if (!OperatingSystem.IsLinux() || ProcessorSet.OfThisProcess() is not { Count: > 1 })
            return;
        using var sleeper = System.Diagnostics.Process.Start("sleep", "60");
        try
        {
            var before = Of(sleeper.Id);
            var processor = OneProcessor.TakeOn().ShouldNotBeNull();
            try
            {
                processor.Take(sleeper.Id);
                processor.Take(int.MaxValue); // there is none
                Of(sleeper.Id).ShouldBe(before);
            }
            finally
            {
                processor.BesideOthers(false);
            }
        }
        finally
        {
            sleeper.Kill();
        }
    }

    private static string Of(int pid) => ProcessorList.Of(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}"));
}
