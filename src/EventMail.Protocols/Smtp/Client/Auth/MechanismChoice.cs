using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using EventMail.Domain.Accounts;
using EventMail.Protocols.Sasl;

namespace EventMail.Protocols.Smtp.Client.Auth;

/// <summary>Which mechanisms to use at a smarthost, the best first.</summary>
internal static class MechanismChoice
{
    /// <summary>
    /// Of what is offered what we can and may. A password or token itself is sent inside TLS only; SCRAM sends neither anywhere;
    /// CRAM-MD5 comes last inside TLS since most who offer it keep no passwords to check it with, and before nothing else in the clear.
    /// </summary>
    public static IEnumerable<ClientMechanism> Of(
        IReadOnlyList<string> offered, ClientCredentials credentials, string? token, RemoteHost host, SslStream? ssl, ClientLimits limits)
    {
        var user = credentials.User;
        if (token is not null)
        {
            return ssl is null ? [] : Only(offered, [TokenMechanism.Bearer(user, token, host), TokenMechanism.XOAuth2(user, token)]);
        }

        if (credentials.Password is not { } password)
        {
            return [];
        }

        var binding = ssl is null ? null : BindingOf(ssl);
        List<ClientMechanism> all = [];
        foreach (var hash in (HashAlgorithmName[])[HashAlgorithmName.SHA256, HashAlgorithmName.SHA1])
        {
            var name = hash == HashAlgorithmName.SHA256 ? ScramExchange.Sha256 : ScramExchange.Sha1;
            var (preparedUser, prepared) = (Prepare(user), Prepare(password));
            if (binding is not null)
            {
                all.Add(new ScramMechanism(hash, preparedUser, prepared, binding, couldBind: true, limits.ScramIterations));
            }

            // RFC 5802 §6: 'y' would be refused where PLUS is offered, and is what tells that somebody took it from the offer where not.
            var couldBind = binding is not null && !offered.Contains($"{name}-PLUS");
            all.Add(new ScramMechanism(hash, preparedUser, prepared, null, couldBind, limits.ScramIterations));
        }

        if (ssl is not null)
        {
            all.AddRange([new PlainMechanism(user, password), new LoginMechanism(user, password)]);
        }

        all.Add(new CramMd5Mechanism(user, password));
        return Only(offered, all);
    }

    private static IEnumerable<ClientMechanism> Only(IReadOnlyList<string> offered, IEnumerable<ClientMechanism> all) =>
        all.Where(mechanism => offered.Contains(mechanism.Name));

    // RFC 9266 §3: tls-exporter is TLS 1.3's; the certificate's hash serves elsewhere.
    private static ChannelBinding? BindingOf(SslStream ssl)
    {
        if (ssl.SslProtocol == SslProtocols.Tls13 && TlsExporter.Of(ssl) is { } exported)
        {
            return new(ChannelBindings.Exporter, exported);
        }

        return ssl.RemoteCertificate is X509Certificate2 certificate && ChannelBindings.EndPointOf(certificate) is { } hash
            ? new(ChannelBindings.EndPoint, hash) : null;
    }

    private static string Prepare(string text) => SaslPrep.TryPrepare(text, SaslPrepUse.Query, out var prepared) ? prepared : text;
}
