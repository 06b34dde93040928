using EventMail.Projections.Accounts;

namespace EventMail.Protocols.Sasl;

public enum SaslState
{
    /// <summary>The client must answer the challenge.</summary>
    Challenge,

    /// <summary>The exchange is over: <see cref="SaslStep.Result"/> tells how.</summary>
    Done,

    /// <summary>The client broke the mechanism's grammar: 501, BAD, -ERR. Nothing was tried.</summary>
    Malformed,
}

/// <param name="Challenge">Decoded. With <see cref="SaslState.Done"/> the server's last words after a success (SCRAM's signature), or empty.</param>
public readonly record struct SaslStep(SaslState State, ReadOnlyMemory<byte> Challenge, LoginResult Result)
{
    internal static readonly SaslStep Malformed = new(SaslState.Malformed, default, default);

    internal static SaslStep Ask(ReadOnlyMemory<byte> challenge) => new(SaslState.Challenge, challenge, default);

    internal static SaslStep Done(LoginResult result, ReadOnlyMemory<byte> lastWords = default) => new(SaslState.Done, lastWords, result);
}

/// <summary>One run of a mechanism (RFC 4422 §3).</summary>
public abstract class SaslExchange
{
    public abstract string Mechanism { get; }

    /// <summary>The server speaks first: there is no initial response (RFC 4422 §5, item 2a).</summary>
    public virtual bool IsServerFirst => false;

    /// <param name="response">The client's words, decoded; null when it sent no initial response.</param>
    public abstract ValueTask<SaslStep> StepAsync(ReadOnlyMemory<byte>? response, CancellationToken cancel);
}
