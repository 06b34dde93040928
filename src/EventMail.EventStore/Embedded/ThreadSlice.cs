using System.Runtime.InteropServices;

namespace EventMail.EventStore.Embedded;

/// <summary>
/// How long a thread may run before Linux looks whose turn it is: sched_setattr(2)'s runtime of an ordinary thread, since Linux 6.12; before that
/// nothing comes of it. Whoever wakes up and has a shorter one does not wait for its end. What a thread gets in all is the same.
/// </summary>
internal static partial class ThreadSlice
{
    /// <summary>More than that Linux does not give.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromMilliseconds(100);

    private const int Length = 48; // SCHED_ATTR_SIZE_VER0
    private const uint Ordinary = 0; // SCHED_OTHER
    private const uint Batch = 3; // SCHED_BATCH

    [StructLayout(LayoutKind.Sequential, Size = Length)]
    private struct Attributes
    {
        public uint Size;
        public uint Policy;
        public ulong Flags;
        public int Nice;
        public uint Priority;
        public ulong Runtime; // ns
        public ulong Deadline;
        public ulong Period;
    }

    // Not in every C library that people have.
    private static (nint Set, nint Get)? Calls { get; } = !OperatingSystem.IsLinux() ? null : RuntimeInformation.ProcessArchitecture switch
    {
        Architecture.X64 => (314, 315),
        Architecture.Arm64 => (274, 275),
        _ => null,
    };

    /// <summary>Zero: the system does not say, or the thread has ended.</summary>
    /// <param name="thread">A process's number is that of its first thread.</param>
    public static TimeSpan Of(int thread) =>
        Read(thread) is { } attributes ? TimeSpan.FromTicks((long)attributes.Runtime / TimeSpan.NanosecondsPerTick) : TimeSpan.Zero;

    /// <summary>Nothing happens to a thread that has ended, is another user's, or is none of the ordinary ones.</summary>
    /// <param name="slice">Zero: what everybody has.</param>
    public static void Set(int thread, TimeSpan slice)
    {
        if (Read(thread) is not { } attributes)
            return;
        attributes.Size = Length;
        attributes.Runtime = (ulong)slice.Ticks * TimeSpan.NanosecondsPerTick;
        _ = Call(Calls!.Value.Set, thread, ref attributes, 0, 0);
    }

    private static Attributes? Read(int thread)
    {
        var attributes = new Attributes();
        return Calls is { } calls && Call(calls.Get, thread, ref attributes, Length, 0) == 0 && attributes.Policy is Ordinary or Batch ? attributes : null;
    }

    [LibraryImport("libc", EntryPoint = "syscall")]
    private static partial nint Call(nint number, nint thread, ref Attributes attributes, nint third, nint fourth);
}
