using System.Security.Cryptography;
using System.Text;
using EventMail.Projections.Accounts;
using EventMail.Protocols.Wire;

namespace EventMail.Protocols.Sasl;

/// <summary>RFC 2195, for accounts that opted in.</summary>
internal sealed class CramMd5Exchange(Authenticator authenticator, LoginContext context, MailConnection connection) : SaslExchange
{
    private readonly byte[] _challenge = Encoding.ASCII.GetBytes(Apop.Timestamp(connection.Details.Local.Address.ToString()));
    private bool _asked;

    public override string Mechanism => "CRAM-MD5";

    public override bool IsServerFirst => true;

    public override async ValueTask<SaslStep> StepAsync(ReadOnlyMemory<byte>? response, CancellationToken cancel)
    {
        if (!_asked)
        {
            // The server speaks first: there is no initial response.
            _asked = true;
            return response is null ? SaslStep.Ask(_challenge) : SaslStep.Malformed;
        }

        // user SP digest: 32 lower-case hex digits. The name may have spaces.
        var answer = response.GetValueOrDefault();
        var space = answer.Span.LastIndexOf((byte)' ');
        if (space <= 0 || answer.Length - space - 1 != 32 || !SaslText.TryRead(answer.Span[..space], out var user))
        {
            return SaslStep.Malformed;
        }

        var digest = answer[(space + 1)..];
        var attempt = await authenticator.BeginAsync(user, context, cancel).ConfigureAwait(false);
        return SaslStep.Done(await authenticator.FinishAsync(
            attempt, a => IsRight(digest.Span, a.Secret, _challenge), cancel).ConfigureAwait(false));
    }

    internal static bool IsRight(ReadOnlySpan<byte> digest, ReadOnlySpan<byte> secret, ReadOnlySpan<byte> challenge) =>
        CryptographicOperations.FixedTimeEquals(digest, Hex(HMACMD5.HashData(secret, challenge)));

    internal static byte[] Hex(byte[] hash) => Encoding.ASCII.GetBytes(Convert.ToHexStringLower(hash));
}
