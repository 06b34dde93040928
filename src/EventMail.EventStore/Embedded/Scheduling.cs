using System.Globalization;
using System.Runtime.InteropServices;

namespace EventMail.EventStore.Embedded;

/// <summary>
/// How Linux shares its processors (sched(7)). What it does not know, or does not let this user do, is left as it is: a priority is a courtesy.
/// </summary>
internal static partial class Scheduling
{
    private const int OfThread = 0; // PRIO_PROCESS, which is a thread's on Linux
    private const uint Batch = 3;

    // The longest that there is: a thread that wakes up and asks for less goes before it at once, and not at the next tick (Linux 6.12).
    private const ulong SliceNanoseconds = 100_000_000;

    // Who does not have root's rights may lower one session in so long.
    private static readonly TimeSpan BetweenSessions = TimeSpan.FromMilliseconds(100);
    private const int Attempts = 5;

    /// <summary>A thread that takes what others leave: it is never in a hurry to run, and others need not wait for its turn to end.</summary>
    public static void Lower(int thread, int niceness)
    {
        var nice = Math.Max(niceness, GetPriority(OfThread, (uint)thread));
        var wanted = new Attributes { Size = (uint)Marshal.SizeOf<Attributes>(), Policy = Batch, Nice = nice, Runtime = SliceNanoseconds };
        if (SetAttributesCall is not { } number || SystemCall(number, thread, in wanted, 0) != 0)
            _ = SetPriority(OfThread, (uint)thread, nice);
    }

    /// <summary>
    /// Linux may share processors out among sessions first (autogroup) and heed priorities only within each: then it is the session's that counts.
    /// Only of a process that has a session of its own, as each of PostgreSQL's has; the shell's is not ours to lower.
    /// </summary>
    public static void LowerSession(int pid, int niceness)
    {
        if (GetSession(pid) != pid)
            return;
        for (var attempt = 0; attempt < Attempts; attempt++, Thread.Sleep(BetweenSessions))
        {
            try
            {
                File.WriteAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/autogroup"), niceness.ToString(CultureInfo.InvariantCulture));
                return;
            }
            catch (Exception e) when (e is UnauthorizedAccessException or FileNotFoundException or DirectoryNotFoundException)
            {
                return;
            }
            catch (IOException)
            {
                // Too soon after another.
            }
        }
    }

    // sched_setattr(2), which libc may not have.
    private static nint? SetAttributesCall => RuntimeInformation.ProcessArchitecture switch
    {
        Architecture.X64 => 314,
        Architecture.Arm64 => 274,
        _ => null,
    };

    [StructLayout(LayoutKind.Sequential)]
    private struct Attributes
    {
        public uint Size;
        public uint Policy;
        public ulong Flags;
        public int Nice;
        public uint Priority;
        public ulong Runtime;
        public ulong Deadline;
        public ulong Period;
    }

    [LibraryImport("libc", EntryPoint = "syscall")]
    private static partial nint SystemCall(nint number, nint thread, in Attributes attributes, nint flags);

    [LibraryImport("libc", EntryPoint = "getpriority")]
    private static partial int GetPriority(int which, uint who);

    [LibraryImport("libc", EntryPoint = "setpriority")]
    private static partial int SetPriority(int which, uint who, int niceness);

    [LibraryImport("libc", EntryPoint = "getsid")]
    private static partial int GetSession(int pid);
}
