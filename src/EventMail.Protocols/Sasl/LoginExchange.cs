using EventMail.Projections.Accounts;

namespace EventMail.Protocols.Sasl;

/// <summary>The LOGIN mechanism, which old clients know instead of PLAIN (draft-murchison-sasl-login).</summary>
internal sealed class LoginExchange(Authenticator authenticator, LoginContext context) : SaslExchange
{
    // Clients compare these words.
    private static readonly byte[] AskUser = "Username:"u8.ToArray();
    private static readonly byte[] AskPassword = "Password:"u8.ToArray();

    private string? _user;

    public override string Mechanism => "LOGIN";

    public override async ValueTask<SaslStep> StepAsync(ReadOnlyMemory<byte>? response, CancellationToken cancel)
    {
        if (response is not { } answer)
        {
            return SaslStep.Ask(AskUser);
        }

        if (_user is not null)
        {
            return SaslStep.Done(await authenticator.PasswordAsync(_user, answer, context, cancel).ConfigureAwait(false));
        }

        return SaslText.TryRead(answer.Span, out _user) && _user.Length > 0 ? SaslStep.Ask(AskPassword) : SaslStep.Malformed;
    }
}
