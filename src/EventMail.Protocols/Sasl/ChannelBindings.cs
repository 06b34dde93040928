using System.Buffers.Binary;
using System.Net.Security;
using System.Runtime.InteropServices;
using System.Security.Authentication;
using System.Security.Authentication.ExtendedProtection;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using EventMail.Protocols.Wire;

namespace EventMail.Protocols.Sasl;

/// <summary>
/// What ties a login to its TLS connection: the certificate's hash (RFC 5929), on TLS 1.3 exported keying material (RFC 9266), on
/// TLS 1.2 the first Finished message (RFC 5929).
/// </summary>
internal static class ChannelBindings
{
    public const string EndPoint = "tls-server-end-point";
    public const string Exporter = "tls-exporter";
    public const string Unique = "tls-unique";

    // RFC 5929 §4.1: the hash of the certificate's signature, SHA-256 instead of MD5 and SHA-1; none for algorithms without one.
    private static readonly Dictionary<string, HashAlgorithmName> Hashes = new(StringComparer.Ordinal)
    {
        ["1.2.840.113549.1.1.4"] = HashAlgorithmName.SHA256, // md5WithRSA
        ["1.2.840.113549.1.1.5"] = HashAlgorithmName.SHA256, // sha1WithRSA
        ["1.2.840.113549.1.1.11"] = HashAlgorithmName.SHA256,
        ["1.2.840.113549.1.1.12"] = HashAlgorithmName.SHA384,
        ["1.2.840.113549.1.1.13"] = HashAlgorithmName.SHA512,
        ["1.2.840.10045.4.1"] = HashAlgorithmName.SHA256, // ecdsa-with-SHA1
        ["1.2.840.10045.4.3.2"] = HashAlgorithmName.SHA256,
        ["1.2.840.10045.4.3.3"] = HashAlgorithmName.SHA384,
        ["1.2.840.10045.4.3.4"] = HashAlgorithmName.SHA512,
    };

    /// <summary>Some binding can be had, so SCRAM-SHA-256-PLUS is on offer.</summary>
    public static bool AnyOf(MailConnection connection) =>
        Of(connection, EndPoint) is not null || Of(connection, Exporter) is not null || Of(connection, Unique) is not null;

    /// <summary>The binding's data, or null when this connection has none of that name.</summary>
    public static byte[]? Of(MailConnection connection, string name) => connection.Ssl is not { } ssl ? null : name switch
    {
        EndPoint => ssl.LocalCertificate is X509Certificate2 certificate ? EndPointOf(certificate) : null,
        // On TLS 1.2 it would need to be known that both ends have the extended master secret (RFC 9266 §4.2).
        Exporter when ssl.SslProtocol == SslProtocols.Tls13 => TlsExporter.Of(ssl),
        // RFC 9266 §1: tls-unique means nothing on TLS 1.3.
        Unique when ssl.SslProtocol == SslProtocols.Tls12 => UniqueOf(ssl),
        _ => null,
    };

    internal static byte[]? EndPointOf(X509Certificate2 certificate) =>
        Hashes.TryGetValue(OidOf(certificate), out var hash) ? certificate.GetCertHash(hash) : null;

    /// <summary>SslStream hands out SEC_CHANNEL_BINDINGS: eight 32-bit fields, of which the last two are the data's length and place.</summary>
    internal static byte[]? UniqueOf(SslStream ssl)
    {
        using var binding = ssl.TransportContext.GetChannelBinding(ChannelBindingKind.Unique);
        const int Header = 32;
        if (binding is null || binding.Size < Header)
        {
            return null;
        }

        var all = new byte[binding.Size];
        Marshal.Copy(binding.DangerousGetHandle(), all, 0, all.Length);
        var length = BinaryPrimitives.ReadInt32LittleEndian(all.AsSpan(24));
        var offset = BinaryPrimitives.ReadInt32LittleEndian(all.AsSpan(28));
        var data = all.AsSpan(offset, length);
        var prefix = Encoding.ASCII.GetBytes($"{Unique}:");
        return data.StartsWith(prefix) ? data[prefix.Length..].ToArray() : null;
    }

    private static string OidOf(X509Certificate2 certificate) => certificate.SignatureAlgorithm.Value ?? "";
}
