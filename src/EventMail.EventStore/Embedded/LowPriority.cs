using System.Globalization;
using System.Runtime.InteropServices;

namespace EventMail.EventStore.Embedded;

/// <summary>
/// Long work beside the mail: who serves finds a processor at once, and it takes what is left. On Linux, where each thread has a priority of its
/// own; elsewhere nothing is done. There is no way back: a process may lower a priority, and not raise it again.
/// </summary>
public static partial class LowPriority
{
    /// <summary>nice(2). About a tenth of a processor for which somebody else has work: with less, who waits for a lock that it holds would wait for long.</summary>
    public const int Niceness = 10;

    private const int OfThread = 0; // PRIO_PROCESS, which is a thread's on Linux

    /// <summary>This process: threads that it begins later are as those that begin them.</summary>
    public static void TakeOn()
    {
        if (!OperatingSystem.IsLinux())
            return;
        foreach (var thread in Directory.EnumerateDirectories("/proc/self/task"))
            _ = SetPriority(OfThread, uint.Parse(Path.GetFileName(thread), CultureInfo.InvariantCulture), Niceness);
    }

    /// <summary>A process of the PostgreSQL on this machine that works for this one; left alone where it is no such process, or another user's.</summary>
    public static void GiveToPostgres(int pid)
    {
        if (OperatingSystem.IsLinux() && IsPostgres(pid))
            _ = SetPriority(OfThread, (uint)pid, Niceness);
    }

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

    [LibraryImport("libc", EntryPoint = "setpriority")]
    private static partial int SetPriority(int which, uint who, int niceness);
}
