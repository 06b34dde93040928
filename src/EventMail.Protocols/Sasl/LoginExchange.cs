using System.Text;
using EventMail.Projections.Accounts;

namespace EventMail.Protocols.Sasl;

/// <summary>LOGIN: never standardised, but what Outlook and many devices speak. Asks for the user, then for the password.</summary>
internal sealed class LoginExchange(Authenticator authenticator, LoginContext context) : SaslExchange
{
    private static readonly ReadOnlyMemory<byte> AskUser = "Username:"u8.ToArray();
    private static readonly ReadOnlyMemory<byte> AskPassword = "Password:"u8.ToArray();

    private string? _user;

    public override string Mechanism => "LOGIN";

    public override async ValueTask<SaslStep> StepAsync(ReadOnlyMemory<byte>? response, CancellationToken cancel)
    {
        if (response is not { } answer)
            return new(SaslState.Challenge, AskUser, default);
        if (_user is not null)
            return new(SaslState.Done, default, await authenticator.PasswordAsync(_user, answer, context, cancel));
        if (answer.IsEmpty || answer.Span.Contains((byte)0))
            return new(SaslState.Malformed, default, default);
        _user = Encoding.UTF8.GetString(answer.Span);
        return new(SaslState.Challenge, AskPassword, default);
    }
}
