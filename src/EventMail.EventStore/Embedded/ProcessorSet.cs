using System.Numerics;
using System.Runtime.InteropServices;

namespace EventMail.EventStore.Embedded;

/// <summary>Processors of this machine on which a thread may run: a bit each, as sched_setaffinity(2) takes them.</summary>
internal sealed partial class ProcessorSet
{
    private const int MostOctets = 1024; // 8,192 processors

    private readonly byte[] _bits;

    private ProcessorSet(byte[] bits) => _bits = bits;

    public int Count => _bits.Sum(b => BitOperations.PopCount(b));

    /// <summary>One of them alone, with the highest number: interrupts are mostly served by those with low ones.</summary>
    public ProcessorSet Last
    {
        get
        {
            var last = new byte[_bits.Length];
            var at = Array.FindLastIndex(_bits, b => b != 0);
            last[at] = (byte)(1 << BitOperations.Log2(_bits[at]));
            return new(last);
        }
    }

    /// <summary>Null: the system does not say.</summary>
    public static ProcessorSet? OfThisProcess()
    {
        var bits = new byte[MostOctets];
        return GetAffinity(Environment.ProcessId, (nuint)bits.Length, bits) == 0 && Array.Exists(bits, b => b != 0) ? new(bits) : null;
    }

    /// <summary>The thread runs there and nowhere else; nothing happens to one that has ended or is another user's.</summary>
    /// <param name="thread">A process's number is that of its first thread.</param>
    public void Put(int thread) => _ = SetAffinity(thread, (nuint)_bits.Length, _bits);

    [LibraryImport("libc", EntryPoint = "sched_getaffinity")]
    private static partial int GetAffinity(int thread, nuint size, [Out] byte[] bits);

    [LibraryImport("libc", EntryPoint = "sched_setaffinity")]
    private static partial int SetAffinity(int thread, nuint size, [In] byte[] bits);
}
