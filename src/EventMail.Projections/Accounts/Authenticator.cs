namespace EventMail.Projections.Accounts;

/// <summary>
/// Says who somebody is. Every login, good or bad, is an event and durable before the answer; failures slow down and lock out;
/// unknown users cost and hear the same as wrong passwords. Thread-safe.
/// </summary>
public sealed class Authenticator
{
    public Directory Directory => throw new NotSupportedException();

    /// <param name="user">The full address, or the bare local part where it is unique.</param>
    /// <param name="password">As sent (UTF-8).</param>
    public ValueTask<LoginResult> PasswordAsync(
        string user, ReadOnlyMemory<byte> password, LoginContext context, CancellationToken cancel) => throw new NotSupportedException();

    /// <summary>Begins a login by proof. Always answers, also for unknown users and while throttled; <see cref="FinishAsync"/> tells.</summary>
    public ValueTask<LoginAttempt> BeginAsync(string user, LoginContext context, CancellationToken cancel) =>
        throw new NotSupportedException();

    /// <param name="check">Compares the client's proof in constant time; called at most once, and not while throttled.</param>
    public ValueTask<LoginResult> FinishAsync(LoginAttempt attempt, Func<LoginAttempt, bool> check, CancellationToken cancel) =>
        throw new NotSupportedException();
}
