using System.Text;
using EventMail.Projections.Accounts;

namespace EventMail.Protocols.Sasl;

/// <summary>PLAIN (RFC 4616): authorization identity, NUL, user, NUL, password.</summary>
internal sealed class PlainExchange(Authenticator authenticator, LoginContext context) : SaslExchange
{
    public override string Mechanism => "PLAIN";

    public override async ValueTask<SaslStep> StepAsync(ReadOnlyMemory<byte>? response, CancellationToken cancel)
    {
        if (response is not { } message)
            return new(SaslState.Challenge, default, default);
        var first = message.Span.IndexOf((byte)0);
        var second = first < 0 ? -1 : message.Span[(first + 1)..].IndexOf((byte)0);
        if (second < 0)
            return new(SaslState.Malformed, default, default);
        var password = message[(first + second + 2)..];
        if (password.Span.Contains((byte)0))
            return new(SaslState.Malformed, default, default);
        var authorization = Encoding.UTF8.GetString(message.Span[..first]);
        var user = Encoding.UTF8.GetString(message.Span.Slice(first + 1, second));
        // Nobody may act for another account: an authorization identity that is not the user's own is a grammar error here.
        if (user.Length == 0 || (authorization.Length > 0 && !authorization.Equals(user, StringComparison.OrdinalIgnoreCase)))
            return new(SaslState.Malformed, default, default);
        return new(SaslState.Done, default, await authenticator.PasswordAsync(user, password, context, cancel));
    }
}
