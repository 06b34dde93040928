using System.Security.Cryptography;

namespace EventMail.Protocols.MailAuth.Dkim;

/// <summary>
/// The hash of a canonicalized body (RFC 6376 §3.4.3, §3.4.4, §3.7), of pieces of any size, in constant memory. Not thread-safe.
/// </summary>
internal abstract class BodyHasher : IDisposable
{
    private static readonly byte[] LineEnds = [.. Enumerable.Repeat("\r\n"u8.ToArray(), 512).SelectMany(pair => pair)];

    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly long _limit;

    protected BodyHasher(long limit) => _limit = limit;

    /// <summary>Octets of the canonicalized body so far, those beyond the limit included.</summary>
    public long Total { get; private set; }

    /// <param name="limit">l=: octets of the canonicalized body that count; null for all.</param>
    public static BodyHasher Create(Canonicalization method, long? limit) =>
        method == Canonicalization.Simple ? new SimpleBodyHasher(limit ?? long.MaxValue) : new RelaxedBodyHasher(limit ?? long.MaxValue);

    public abstract void Append(ReadOnlySpan<byte> body);

    /// <summary>Ends the body; nothing may be appended after.</summary>
    public byte[] Finish()
    {
        End();
        return _hash.GetHashAndReset();
    }

    public void Dispose() => _hash.Dispose();

    protected abstract void End();

    /// <summary>Line ends that count only when something follows: empty lines at the end of a body are ignored.</summary>
    protected long Held { get; set; }

    /// <summary>Adds the held line ends.</summary>
    protected void AddHeld()
    {
        for (; Held > 0; Held -= Math.Min(Held, LineEnds.Length / 2))
            Add(LineEnds.AsSpan(0, (int)Math.Min(Held * 2, LineEnds.Length)));
    }

    protected void Add(ReadOnlySpan<byte> octets)
    {
        var counted = Math.Clamp(_limit - Total, 0, octets.Length);
        if (counted > 0)
            _hash.AppendData(octets[..(int)counted]);
        Total += octets.Length;
    }
}
