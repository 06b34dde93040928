using System.Net.Security;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace EventMail.Protocols.Sasl;

/// <summary>
/// tls-exporter (RFC 9266): 32 octets that both ends of a TLS 1.3 connection can compute and nobody else. SslStream keeps its OpenSSL
/// handle to itself, so this reaches for it: docs/decisions/0017-tls-exporter.md. Where that fails there is no such binding.
/// </summary>
internal static partial class TlsExporter
{
    public const int Length = 32;

    private const string Library = "libssl.so.3";

    private static readonly FieldInfo? Handle = typeof(SslStream).GetField("_securityContext", BindingFlags.Instance | BindingFlags.NonPublic);

    // The runtime takes OpenSSL 3 from this library unless it is told to take another one.
    private static readonly bool IsOpenSsl3 =
        OperatingSystem.IsLinux() && Environment.GetEnvironmentVariable("CLR_OPENSSL_VERSION_OVERRIDE") is null
        && SafeEvpPKeyHandle.OpenSslVersion >> 28 == 3 && NativeLibrary.TryLoad(Library, out _);

    /// <summary>Null where it cannot be had.</summary>
    public static byte[]? Of(SslStream ssl)
    {
        if (!IsOpenSsl3 || Handle?.GetValue(ssl) is not SafeHandle { IsInvalid: false, IsClosed: false } session)
        {
            return null;
        }

        var label = "EXPORTER-Channel-Binding"u8;
        var material = new byte[Length];
        // RFC 9266 §2: the context is of no length.
        return SSL_export_keying_material(session, material, Length, label, (nuint)label.Length, [], 0, useContext: 0) == 1 ? material : null;
    }

    [LibraryImport(Library)]
    private static partial int SSL_export_keying_material(
        SafeHandle session, Span<byte> output, nuint outputLength, ReadOnlySpan<byte> label, nuint labelLength,
        ReadOnlySpan<byte> context, nuint contextLength, int useContext);
}
