using EventMail.Projections.Accounts;

namespace EventMail.Protocols.Sasl;

/// <summary>RFC 4616.</summary>
internal sealed class PlainExchange(Authenticator authenticator, LoginContext context) : SaslExchange
{
    public override string Mechanism => "PLAIN";

    public override async ValueTask<SaslStep> StepAsync(ReadOnlyMemory<byte>? response, CancellationToken cancel)
    {
        if (response is not { } message)
        {
            return SaslStep.Ask(default);
        }

        // message = [authzid] UTF8NUL authcid UTF8NUL passwd
        var first = message.Span.IndexOf((byte)0);
        var second = first < 0 ? -1 : message.Span[(first + 1)..].IndexOf((byte)0);
        if (second <= 0
            || !SaslText.TryRead(message.Span[..first], out var authorization)
            || !SaslText.TryRead(message.Span.Slice(first + 1, second), out var user))
        {
            return SaslStep.Malformed;
        }

        var password = message[(first + second + 2)..];
        if (password.IsEmpty || password.Span.Contains((byte)0))
        {
            return SaslStep.Malformed;
        }

        return SaslStep.Done(await authenticator.PasswordAsync(
            user, password, context with { ForSelf = SaslText.IsSelf(authorization, user) }, cancel).ConfigureAwait(false));
    }
}
