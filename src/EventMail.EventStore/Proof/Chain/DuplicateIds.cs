using System.Runtime.InteropServices;

namespace EventMail.EventStore.Proof;

/// <summary>
/// Finds ids that stand in the log more than once, in constant memory: a Bloom filter tells which may have been there before, and only those
/// are looked for in a second pass.
/// </summary>
internal sealed class DuplicateIds
{
    private const int BitsPerEvent = 32;
    private const int Probes = 4;
    private const long MaxBits = 1L << 30;

    private readonly ulong[] _bits;
    private readonly HashSet<Guid> _suspects = [];

    /// <param name="events">About how many will come.</param>
    public DuplicateIds(long events) =>
        _bits = new ulong[(long)System.Numerics.BitOperations.RoundUpToPowerOf2((ulong)Math.Clamp(events * BitsPerEvent, 1 << 12, MaxBits)) / 64];

    /// <summary>Ids that were there before, and a few that seem to have been.</summary>
    public IReadOnlyCollection<Guid> Suspects => _suspects;

    public void Add(Guid id)
    {
        var halves = MemoryMarshal.Cast<byte, ulong>(MemoryMarshal.AsBytes(new ReadOnlySpan<Guid>(in id)));
        // Random in ids of ours, anything in others': mixed.
        var step = (halves[1] ^ (halves[0] << 17)) * 0x9E37_79B9_7F4A_7C15;
        var at = (halves[0] ^ (step >> 32)) * 0xD6E8_FEB8_6659_FD93;
        var seen = true;
        for (var probe = 0; probe < Probes; probe++, at += step | 1)
        {
            ref var word = ref _bits[(at >> 32) % (ulong)_bits.Length];
            var bit = 1UL << (int)(at >> 26 & 63);
            seen &= (word & bit) != 0;
            word |= bit;
        }
        if (seen)
            _suspects.Add(id);
    }
}
