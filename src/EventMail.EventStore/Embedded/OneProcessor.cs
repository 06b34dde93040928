using System.Globalization;

namespace EventMail.EventStore.Embedded;

/// <summary>
/// Long work beside the mail keeps to one processor, together with those processes of the embedded PostgreSQL that work for it, so that who serves
/// finds the others; and it does not keep that one from anybody who wakes up there. Alone it has all of them. On Linux, where each thread can be told
/// where to run. Thread-safe.
/// </summary>
public sealed class OneProcessor
{
    private readonly ProcessorSet _all;
    // PostgreSQL's processes that work for this one.
    private readonly HashSet<int> _backends = [];
    private readonly Lock _gate = new();
    private bool _besideOthers = true;

    private OneProcessor(ProcessorSet all) => _all = all;

    /// <summary>
    /// This process keeps to it from now on: threads that it begins later run where those do that begin them. So does what it starts: a PostgreSQL
    /// that may come to serve is started before. Null: there is one only, or the system has no way to say where a thread runs.
    /// </summary>
    public static OneProcessor? TakeOn()
    {
        if (!OperatingSystem.IsLinux() || ProcessorSet.OfThisProcess() is not { Count: > 1 } all)
            return null;
        var one = new OneProcessor(all);
        one.Place();
        return one;
    }

    /// <summary>A process of the PostgreSQL on this machine works for this one; left alone where it is no such process, or another user's.</summary>
    public void Take(int pid)
    {
        if (!IsPostgres(pid))
            return;
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
            foreach (var pid in _backends)
                Place(pid);
            // Until all of them are there: one that is not may begin another meanwhile.
            var placed = new HashSet<int>();
            while (Threads(Environment.ProcessId).Where(placed.Add).ToList() is { Count: > 0 } threads)
                threads.ForEach(Place);
        }
    }

    private void Place(int thread)
    {
        (_besideOthers ? _all.Last : _all).Put(thread);
        ThreadSlice.Set(thread, _besideOthers ? ThreadSlice.Longest : TimeSpan.Zero);
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
