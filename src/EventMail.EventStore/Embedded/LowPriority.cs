using System.Globalization;

namespace EventMail.EventStore.Embedded;

/// <summary>
/// Long work beside the mail: who serves finds a processor at once, and it takes what is left. On Linux, where each thread has a priority of its
/// own; elsewhere nothing is done. There is no way back from a lower priority; processors are given back. Thread-safe.
/// </summary>
/// <param name="ofPostgres">PostgreSQL is this program's own: its processes that do this work are treated as this one is.</param>
public sealed class LowPriority(bool ofPostgres)
{
    /// <summary>nice(2).</summary>
    public const int Niceness = 10;

    // PostgreSQL's processes that work for this one.
    private readonly HashSet<int> _backends = [];
    private readonly Lock _gate = new();
    private ProcessorSet? _all;
    private bool _besideOthers = true;

    /// <summary>
    /// Beside others this process and those of PostgreSQL that work for it share one processor: the others are left to who serves, and there is
    /// no need to rest.
    /// </summary>
    public bool LeavesProcessors
    {
        get
        {
            lock (_gate)
                return ofPostgres && _all is not null;
        }
    }

    /// <summary>
    /// This process, for as long as it lives: threads that it begins later are as those that begin them. What it starts is so as well: a
    /// PostgreSQL that may come to serve is started before.
    /// </summary>
    public void TakeOn()
    {
        if (!OperatingSystem.IsLinux())
            return;
        lock (_gate)
            _all = ProcessorSet.OfThisProcess() is { Count: > 1 } all ? all : null;
        foreach (var thread in Threads(Environment.ProcessId))
            Scheduling.Lower(thread, Niceness);
        Scheduling.LowerSession(Environment.ProcessId, Niceness);
        Place();
    }

    /// <summary>A process of the PostgreSQL on this machine that works for this one; left alone where it is no such process, or another user's.</summary>
    public void GiveToPostgres(int pid)
    {
        if (!ofPostgres || !OperatingSystem.IsLinux() || !IsPostgres(pid))
            return;
        Scheduling.Lower(pid, Niceness);
        Scheduling.LowerSession(pid, Niceness);
        lock (_gate)
            _backends.Add(pid);
        Place();
    }

    /// <summary>It works for this process no more, and its number may become another's.</summary>
    public void Leave(int pid)
    {
        lock (_gate)
            _backends.Remove(pid);
    }

    /// <summary>Somebody else is at work, as is thought at first, or nobody is: all processors are taken then.</summary>
    public void BesideOthers(bool areThere)
    {
        lock (_gate)
        {
            if (_besideOthers == areThere)
                return;
            _besideOthers = areThere;
        }
        Place();
    }

    private void Place()
    {
        lock (_gate)
        {
            if (!ofPostgres || _all is not { } all)
                return;
            var where = _besideOthers ? all.Last : all;
            foreach (var pid in _backends)
                where.Put(pid);
            // Until all of them are there: one that is not may begin another meanwhile.
            var placed = new HashSet<int>();
            while (Threads(Environment.ProcessId).Where(placed.Add).ToList() is { Count: > 0 } threads)
                threads.ForEach(where.Put);
        }
    }

    private static IEnumerable<int> Threads(int pid) =>
        Directory.EnumerateDirectories(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/task")).Select(path => int.Parse(Path.GetFileName(path), CultureInfo.InvariantCulture));

    // In another container it would be somebody else's number.
    private static bool IsPostgres(int pid)
    {
        try
        {
            return File.ReadAllText($"/proc/{pid.ToString(CultureInfo.InvariantCulture)}/cmdline").StartsWith("postgres: ", StringComparison.Ordinal);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
