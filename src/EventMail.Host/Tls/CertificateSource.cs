using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using EventMail.Host.Configuration;
using Microsoft.Extensions.Logging;

namespace EventMail.Host.Tls;

/// <summary>One certificate with its key, read again when its files change.</summary>
internal sealed class CertificateSource
{
    // A handshake costs a millisecond and looking at two files some microseconds; still, not at each of a thousand a second.
    private static readonly TimeSpan LookAgainAfter = TimeSpan.FromSeconds(1);

    private readonly string _certificateFile;
    private readonly string _keyFile;
    private readonly ILogger _log;
    private readonly Lock _reloading = new();
    private (DateTime Certificate, DateTime Key) _stamp;
    private long _lookedAt = Environment.TickCount64;
    private volatile SslServerAuthenticationOptions _options;

    /// <exception cref="SettingsException">The files cannot be used.</exception>
    public CertificateSource(string certificateFile, string keyFile, ILogger log)
    {
        (_certificateFile, _keyFile, _log) = (certificateFile, keyFile.Length > 0 ? keyFile : certificateFile, log);
        try
        {
            _stamp = Stamp();
            _options = Load();
        }
        catch (Exception error) when (IsUnusable(error))
        {
            throw new SettingsException($"The certificate {_certificateFile} with the key {_keyFile} cannot be used: {error.Message}");
        }
    }

    public SslServerAuthenticationOptions Current
    {
        get
        {
            if (Environment.TickCount64 - Volatile.Read(ref _lookedAt) > LookAgainAfter.TotalMilliseconds)
                LookAgain();
            return _options;
        }
    }

    private void LookAgain()
    {
        lock (_reloading)
        {
            Volatile.Write(ref _lookedAt, Environment.TickCount64);
            try
            {
                var stamp = Stamp();
                if (stamp == _stamp)
                    return;
                _options = Load();
                // Only after the load: of two files of which one is still missing, the pair is tried again.
                _stamp = stamp;
                _log.CertificateReloaded(_certificateFile);
            }
            catch (Exception error) when (IsUnusable(error))
            {
                _log.CertificateKept(error, _certificateFile);
            }
        }
    }

    private (DateTime, DateTime) Stamp() => (ChangedAt(_certificateFile), ChangedAt(_keyFile));

    // Let's Encrypt's live/ files are links that are turned to new files.
    private static DateTime ChangedAt(string path) =>
        (File.ResolveLinkTarget(path, returnFinalTarget: true) ?? new FileInfo(path)).LastWriteTimeUtc;

    private SslServerAuthenticationOptions Load()
    {
        var chain = new X509Certificate2Collection();
        chain.ImportFromPemFile(_certificateFile);
        var certificate = X509Certificate2.CreateFromPemFile(_certificateFile, _keyFile);
        return new()
        {
            ServerCertificateContext = SslStreamCertificateContext.Create(certificate, chain, offline: true),
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
            CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
        };
    }

    private static bool IsUnusable(Exception error) =>
        error is CryptographicException or IOException or UnauthorizedAccessException or ArgumentException;
}
