using System.Runtime.InteropServices;
using EventMail.Host.Composition;

namespace EventMail.Host.Tests.Server;

public class NativeHeapTests
{
    private const int Blocks = 1000;
    private const int Large = 256 << 10;
    private const int Small = 1000;

    [GlibcFact]
    public unsafe void What_a_compressed_connection_had_goes_back_to_the_system_though_small_blocks_came_between()
    {
        NativeHeap.KeepLargeBlocksApart().ShouldBeTrue();
        // glibc learns from the first block that is freed, unless it was told.
        NativeMemory.Free(NativeMemory.Alloc(Large));
        var (freed, kept) = (new List<nint>(), new List<nint>());
        var before = Environment.WorkingSet;
        for (var i = 0; i < Blocks; i++)
        {
            var large = (byte*)NativeMemory.Alloc(Large);
            new Span<byte>(large, Large).Fill(1);
            freed.Add((nint)large);
            kept.Add((nint)NativeMemory.Alloc(Small));
        }

        foreach (var block in freed)
            NativeMemory.Free((void*)block);
        var grown = Environment.WorkingSet - before;
        foreach (var block in kept)
            NativeMemory.Free((void*)block);
        grown.ShouldBeLessThan(Blocks * (long)Large / 2);
    }
}
