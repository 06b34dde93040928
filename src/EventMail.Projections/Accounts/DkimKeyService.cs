using System.Runtime.CompilerServices;
using EventMail.Domain;
using EventMail.Domain.Accounts;
using EventMail.EventStore;
using Microsoft.Extensions.Logging;

namespace EventMail.Projections.Accounts;

/// <summary>A key as its signer needs it. The same object for as long as the key signs.</summary>
/// <param name="Domain">Lower-case A-labels: d=.</param>
/// <param name="Algorithm">"rsa" or "ed25519".</param>
/// <param name="PrivateKey">PKCS #8, or the 32 octets of Ed25519.</param>
public sealed record DkimSecret(string Domain, string Selector, string Algorithm, byte[] PrivateKey);

/// <summary>
/// The keys that sign domains' mail: made, activated and retired by operators, on any node; those that sign are in memory. A task
/// that ends without a rejection is durable. Thread-safe.
/// </summary>
public sealed class DkimKeyService(EventLog log, Directory directory, SecretKey secret, ILogger logger)
{
    private readonly CommandExecutor _executor = log.Executor;

    // A state's keys stay decrypted for as long as it is the domain's state.
    private readonly ConditionalWeakTable<DkimKey[], IReadOnlyList<DkimSecret>> _decrypted = [];

    /// <param name="algorithm">"rsa" or "ed25519".</param>
    /// <param name="publicKey">As in p= of its record, before base64.</param>
    /// <param name="privateKey">PKCS #8, or the 32 octets of Ed25519.</param>
    public Task<Result<Unit>> AddAsync(
        string domain, string selector, string algorithm, byte[] publicKey, byte[] privateKey, Actor actor, CancellationToken cancel) =>
        ChangeAsync(domain, selector, actor, (name, canonical, state) => DkimDecider.Add(
            state, new(canonical, algorithm, publicKey, secret.Encrypt(Owner(name, canonical), privateKey))), cancel);

    /// <summary>Signs from now on.</summary>
    public Task<Result<Unit>> ActivateAsync(string domain, string selector, Actor actor, CancellationToken cancel) =>
        ChangeAsync(domain, selector, actor, (_, canonical, state) => DkimDecider.Activate(state, canonical), cancel);

    /// <summary>Signs no more.</summary>
    public Task<Result<Unit>> RetireAsync(string domain, string selector, Actor actor, CancellationToken cancel) =>
        ChangeAsync(domain, selector, actor, (_, canonical, state) => DkimDecider.Retire(state, canonical), cancel);

    /// <summary>All keys of a domain, the newest last.</summary>
    public async Task<Result<IReadOnlyList<DkimKey>>> ListAsync(string domain, CancellationToken cancel)
    {
        if (!MailAddress.TryCanonicalDomain(domain, out var name))
            return AccountRejections.DomainMissing;
        var state = await StateAsync(name, cancel).ConfigureAwait(false);
        return state.Exists ? state.DkimKeys : AccountRejections.DomainMissing;
    }

    /// <summary>
    /// What signs mail from a domain: its own active keys; without any, those of the nearest domain above it that is here, too
    /// (docs/decisions/0034-dkim-keys-wait-for-their-record.md).
    /// </summary>
    /// <param name="domain">Lower-case A-labels.</param>
    public async ValueTask<IReadOnlyList<DkimSecret>> SigningAsync(string domain, CancellationToken cancel)
    {
        for (var name = domain; name.Contains('.'); name = name[(name.IndexOf('.') + 1)..])
        {
            if (!await directory.IsLocalDomainAsync(name, cancel).ConfigureAwait(false))
                continue;
            var state = await StateAsync(name, cancel).ConfigureAwait(false);
            var keys = _decrypted.GetValue(state.DkimKeys, all => Decrypt(state.Name, all));
            if (keys.Count > 0)
                return keys;
        }
        return [];
    }

    private async ValueTask<DomainState> StateAsync(string name, CancellationToken cancel) =>
        (DomainState)(await _executor.StateAsync(AccountStreamKinds.DomainStream(name), cancel).ConfigureAwait(false)).State;

    private List<DkimSecret> Decrypt(string domain, DkimKey[] keys)
    {
        var secrets = new List<DkimSecret>();
        // RSA before Ed25519: who looks at the first signature only should find the one that everybody knows.
        foreach (var key in keys.Where(key => key.Status == DkimKeyStatus.Active).OrderByDescending(key => key.Algorithm, StringComparer.Ordinal))
        {
            if (secret.Decrypt(Owner(domain, key.Selector), key.PrivateKey!) is { } octets)
                secrets.Add(new(domain, key.Selector, key.Algorithm, octets));
            else
                logger.DkimKeyUnreadable(domain, key.Selector, key.PrivateKey!.KeyId, secret.Id);
        }
        return secrets;
    }

    private async Task<Result<Unit>> ChangeAsync(
        string domain, string selector, Actor actor, Func<string, string, DomainState, Result<object[]>> decide, CancellationToken cancel)
    {
        if (!MailAddress.TryCanonicalDomain(domain, out var name))
            return AccountRejections.DomainMissing;
        var stream = AccountStreamKinds.DomainStream(name);
        var canonical = selector.ToLowerInvariant();
        var outcome = await DirectoryCommands.ExecuteAsync(
            _executor, actor, [stream],
            decision => decision.Apply(stream.Key, decide(name, canonical, decision.State<DomainState>(stream.Key))), cancel).ConfigureAwait(false);
        return outcome.Rejection is Rejection rejection ? rejection : default(Unit);
    }

    // What the encryption is bound to: no account's id has a slash.
    private static string Owner(string domain, string selector) => $"dkim/{domain}/{selector}";
}
