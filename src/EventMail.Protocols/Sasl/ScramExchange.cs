using System.Security.Cryptography;
using System.Text;
using EventMail.Projections.Accounts;
using EventMail.Protocols.Wire;

namespace EventMail.Protocols.Sasl;

/// <summary>SCRAM-SHA-256 and SCRAM-SHA-1, and with a channel binding their -PLUS (RFC 5802, RFC 7677): the context says which.</summary>
internal sealed class ScramExchange(Authenticator authenticator, LoginContext context, MailConnection connection) : SaslExchange
{
    public const string Sha256 = "SCRAM-SHA-256";
    public const string Sha256Plus = "SCRAM-SHA-256-PLUS";
    public const string Sha1 = "SCRAM-SHA-1";
    public const string Sha1Plus = "SCRAM-SHA-1-PLUS";

    private readonly string _serverNonce = ScramServer.NewNonce();
    private ScramFirst? _first;
    private string _serverFirst = "";
    private LoginAttempt? _attempt;

    public override string Mechanism => context.Mechanism;

    public override ValueTask<SaslStep> StepAsync(ReadOnlyMemory<byte>? response, CancellationToken cancel) =>
        response is not { } message ? new(SaslStep.Ask(default))
        : _first is null ? FirstAsync(message, cancel)
        : FinalAsync(message, cancel);

    private async ValueTask<SaslStep> FirstAsync(ReadOnlyMemory<byte> message, CancellationToken cancel)
    {
        // RFC 5802 §6: the flag is 'p' exactly in the PLUS mechanism.
        if (!ScramServer.TryReadFirst(message.Span, out var first) || (first.Binding == 'p') != (context.Mechanism is Sha256Plus or Sha1Plus)
            || (first.Binding == 'p' && ChannelBindings.Of(connection, first.BindingName) is null))
        {
            return SaslStep.Malformed;
        }

        var hash = context.Mechanism is Sha1 or Sha1Plus ? HashAlgorithmName.SHA1 : HashAlgorithmName.SHA256;
        _attempt = await authenticator.BeginAsync(
            first.User, hash, context with { ForSelf = SaslText.IsSelf(first.Authorization, first.User) }, cancel).ConfigureAwait(false);
        _serverFirst = ScramServer.ServerFirst(first, _serverNonce, _attempt.Scram);
        _first = first;
        return SaslStep.Ask(Encoding.ASCII.GetBytes(_serverFirst));
    }

    private async ValueTask<SaslStep> FinalAsync(ReadOnlyMemory<byte> message, CancellationToken cancel)
    {
        var first = _first!;
        if (!ScramServer.TryReadFinal(message.Span, first.Nonce + _serverNonce, out var withoutProof, out var binding, out var proof))
        {
            return SaslStep.Malformed;
        }

        var authMessage = $"{first.Bare},{_serverFirst},{withoutProof}";
        var result = await authenticator.FinishAsync(
            _attempt!, a => IsBound(first, binding) && ScramServer.IsRight(a.Scram, authMessage, proof), cancel).ConfigureAwait(false);
        return result.Status == LoginStatus.Ok
            ? SaslStep.Done(result, Encoding.ASCII.GetBytes(ScramServer.ServerFinal(_attempt!.Scram, authMessage)))
            : SaslStep.Done(result);
    }

    // cbind-input = gs2-header [ cbind-data ]
    private bool IsBound(ScramFirst first, byte[] binding)
    {
        // RFC 5802 §6: a client that thinks we do not offer PLUS was lied to if we do.
        if (first.Binding == 'y' && ChannelBindings.AnyOf(connection))
        {
            return false;
        }

        byte[] expected =
        [
            .. Encoding.UTF8.GetBytes(first.Header),
            .. first.Binding == 'p' ? ChannelBindings.Of(connection, first.BindingName) ?? [] : [],
        ];
        return CryptographicOperations.FixedTimeEquals(binding, expected);
    }
}
