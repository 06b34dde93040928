using System.Buffers.Binary;
using System.Security.Cryptography;

namespace EventMail.Projections.Mailboxes;

/// <summary>
/// EMAILID (RFC 8474 §5.1) as one account sees it: made of the content's number, which the same octets share and which COPY and MOVE
/// keep. Keyed, because accounts share contents: a bare number would tell whether somebody else had the same message before, and how
/// many messages the server has. Thread-safe.
/// </summary>
/// <param name="key">The account's, which its clients do not know.</param>
public sealed class EmailIds(byte[] key)
{
    private const int Octets = 16;

    /// <summary>"M" and hexadecimal digits: no two are told apart by case (RFC 8474 §8.1).</summary>
    public const int Length = 1 + 2 * Octets;

    /// <param name="content">The content's number.</param>
    /// <param name="id">Of <see cref="Length"/>.</param>
    public void Write(long content, Span<byte> id)
    {
        Span<byte> number = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(number, content);
        Span<byte> hash = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(key, number, hash);
        id[0] = (byte)'M';
        Convert.TryToHexStringLower(hash[..Octets], id[1..], out _);
    }
}
