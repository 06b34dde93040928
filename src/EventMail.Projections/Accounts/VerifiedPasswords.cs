using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using EventMail.EventStore;

namespace EventMail.Projections.Accounts;

/// <summary>
/// Which passwords were verified lately: keyed hashes that mean nothing outside this process. The account's credential version is
/// hashed in, so a password change voids what came before it without anybody looking for it. Thread-safe.
/// </summary>
internal sealed class VerifiedPasswords(TimeSpan idle, TimeSpan atMost, TimeProvider time)
{
    /// <summary>A keyed hash of account, credential version and password.</summary>
    public readonly record struct Proof(UInt128 First, UInt128 Second);

    private sealed class Entry(long until, long latest)
    {
        public long Until = until;
        public readonly long Latest = latest;
    }

    private const int Remembered = 20_000;

    private readonly byte[] _key = RandomNumberGenerator.GetBytes(32);
    private readonly BoundedCache<Proof, Entry> _entries = new(Remembered);

    private long Now => time.GetUtcNow().UtcTicks;

    public Proof ProofOf(string account, long credentialVersion, ReadOnlySpan<byte> password)
    {
        // The account's id has a fixed alphabet without NUL, the version a fixed length: the input can be read in one way only.
        Span<byte> input = stackalloc byte[Encoding.UTF8.GetMaxByteCount(account.Length) + 1 + sizeof(long) + password.Length];
        var length = Encoding.UTF8.GetBytes(account, input);
        input[length++] = 0;
        BinaryPrimitives.WriteInt64BigEndian(input[length..], credentialVersion);
        length += sizeof(long);
        password.CopyTo(input[length..]);
        Span<byte> hash = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(_key, input[..(length + password.Length)], hash);
        CryptographicOperations.ZeroMemory(input);
        return new(MemoryMarshal.Read<UInt128>(hash), MemoryMarshal.Read<UInt128>(hash[16..]));
    }

    /// <summary>True for a password that was verified lately; it is then remembered for longer.</summary>
    public bool Contains(Proof proof)
    {
        if (!_entries.TryGet(proof, out var entry))
            return false;
        var now = Now;
        if (Volatile.Read(ref entry.Until) <= now)
        {
            _entries.Remove(proof);
            return false;
        }
        Volatile.Write(ref entry.Until, Math.Min(now + idle.Ticks, entry.Latest));
        return true;
    }

    public void Add(Proof proof)
    {
        var now = Now;
        if (idle > TimeSpan.Zero)
            _entries.Set(proof, new(Math.Min(now + idle.Ticks, now + atMost.Ticks), now + atMost.Ticks));
    }
}
