using System.Buffers.Binary;

namespace EventMail.Host.Tests.Tls;

/// <summary>A ClientHello (RFC 5246 §7.4.1.2) that any server can take that speaks its version: suites of every age.</summary>
internal static class ClientHello
{
    public const ushort Tls10 = 0x0301;
    public const ushort Tls11 = 0x0302;
    public const ushort Tls12 = 0x0303;

    // ECDHE with ECDSA and with RSA, then plain RSA: AES-GCM of TLS 1.2, AES-CBC-SHA of all.
    private static readonly byte[] Suites = [0xC0, 0x2B, 0xC0, 0x2C, 0xC0, 0x2F, 0xC0, 0x30, 0xC0, 0x09, 0xC0, 0x0A, 0xC0, 0x13, 0xC0, 0x14, 0x00, 0x2F, 0x00, 0x35];

    private static readonly byte[] Extensions =
    [
        0, 10, 0, 6, 0, 4, 0, 29, 0, 23, // supported_groups: x25519, secp256r1
        0, 11, 0, 2, 1, 0, // ec_point_formats: uncompressed
        0, 13, 0, 12, 0, 10, 4, 3, 8, 4, 4, 1, 2, 3, 2, 1, // signature_algorithms: with SHA-256, and SHA-1 as of old
    ];

    /// <summary>In a record of its own.</summary>
    public static byte[] Of(ushort version)
    {
        byte[] body =
        [
            .. Number(version), .. new byte[32], 0, .. Number(Suites.Length), .. Suites, 1, 0, .. Number(Extensions.Length), .. Extensions,
        ];
        byte[] handshake = [1, 0, .. Number(body.Length), .. body];
        // The record's version is no offer: RFC 5246 Appendix E.1.
        return [22, .. Number(Tls10), .. Number(handshake.Length), .. handshake];
    }

    private static byte[] Number(int value)
    {
        var bytes = new byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(bytes, (ushort)value);
        return bytes;
    }
}
