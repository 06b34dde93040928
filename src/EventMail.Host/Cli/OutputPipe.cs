using System.Runtime.InteropServices;

namespace EventMail.Host.Cli;

/// <summary>Whether anybody still reads standard output: the runtime's console writes into a closed pipe without a word.</summary>
internal static partial class OutputPipe
{
    private const int StandardOutput = 1;

    // poll(2): the other end of the pipe is closed.
    private const short Error = 8;

    public static bool IsBroken()
    {
        var asked = new PollFd { Descriptor = StandardOutput };
        return Poll(ref asked, 1, 0) > 0 && (asked.Events & Error) != 0;
    }

    [LibraryImport("libc", EntryPoint = "poll")]
    private static partial int Poll(ref PollFd descriptors, nuint count, int timeout);

    [StructLayout(LayoutKind.Sequential)]
    private struct PollFd
    {
        public int Descriptor;
        public short Requested;
        public short Events;
    }
}
