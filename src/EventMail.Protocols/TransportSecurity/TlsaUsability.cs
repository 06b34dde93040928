using System.Security.Cryptography;
using EventMail.Protocols.Dns;

namespace EventMail.Protocols.TransportSecurity;

/// <summary>The numbers of RFC 6698 §7 by their names of RFC 7218, and which records count.</summary>
internal static class TlsaUsability
{
    public const byte DaneTa = 2;
    public const byte DaneEe = 3;

    public const byte WholeCertificate = 0;
    public const byte PublicKey = 1;

    public const byte Exact = 0;
    public const byte Sha256 = 1;
    public const byte Sha512 = 2;

    /// <summary>
    /// RFC 7672 §3.1.3: those of PKIX usages (0, 1) are none; nor are malformed ones. RFC 7671 §9: of digests of one usage and selector
    /// only the strongest counts.
    /// </summary>
    public static IReadOnlyList<TlsaRecord> Usable(IEnumerable<TlsaRecord> records)
    {
        var wellFormed = records.Where(IsWellFormed).ToList();
        return
        [
            .. wellFormed.Where(record => record.Matching == Exact || !wellFormed.Exists(other =>
                (other.Usage, other.Selector) == (record.Usage, record.Selector) && other.Matching > record.Matching)),
        ];
    }

    private static bool IsWellFormed(TlsaRecord record) =>
        record.Usage is DaneTa or DaneEe
        && record.Selector is WholeCertificate or PublicKey
        && record.Matching switch
        {
            Exact => record.Data.Length > 0,
            Sha256 => record.Data.Length == SHA256.HashSizeInBytes,
            Sha512 => record.Data.Length == SHA512.HashSizeInBytes,
            _ => false,
        };
}
