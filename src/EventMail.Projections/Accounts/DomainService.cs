using EventMail.Domain;
using EventMail.Domain.Accounts;
using EventMail.EventStore;
using Npgsql;

namespace EventMail.Projections.Accounts;

/// <summary>Changes mail domains and aliases. A task that ends without a rejection is durable. Thread-safe.</summary>
public sealed class DomainService(EventLog log, Directory directory)
{
    private static readonly Rejection BadDomain = Rejection.Invalid("The domain is not a valid host name");

    private readonly CommandExecutor _executor = log.Executor;
    private readonly NpgsqlDataSource _source = log.DataSource;

    public async Task<Result<Unit>> AddDomainAsync(string domain, Actor actor, CancellationToken cancel)
    {
        if (!MailAddress.TryCanonicalDomain(domain, out var name))
            return BadDomain;
        var stream = AccountStreamKinds.DomainStream(name);
        return Answer(await DirectoryCommands.ExecuteAsync(
            _executor, actor, [stream],
            decision => decision.Apply(stream.Key, DomainDecider.Add(decision.State<DomainState>(stream.Key), name)), cancel)
            .ConfigureAwait(false));
    }

    /// <summary>Refused while an account or alias has an address in it.</summary>
    public async Task<Result<Unit>> RemoveDomainAsync(string domain, Actor actor, CancellationToken cancel)
    {
        if (!MailAddress.TryCanonicalDomain(domain, out var name))
            return BadDomain;
        var addresses = await CountAddressesAsync(name, cancel).ConfigureAwait(false);
        var stream = AccountStreamKinds.DomainStream(name);
        return Answer(await DirectoryCommands.ExecuteAsync(
            _executor, actor, [stream],
            decision => decision.Apply(stream.Key, DomainDecider.Remove(decision.State<DomainState>(stream.Key), addresses)), cancel)
            .ConfigureAwait(false));
    }

    /// <param name="targets">Addresses that lead to accounts here, in the end.</param>
    public async Task<Result<Unit>> AddAliasAsync(string address, IReadOnlyList<string> targets, Actor actor, CancellationToken cancel)
    {
        if (!MailAddress.TryParse(address, out var parsed, out var why))
            return Rejection.Invalid(why);
        if (await directory.MeaningAsync(parsed.ToString(), cancel).ConfigureAwait(false) is not NameMeaning.Nothing)
            return AccountRejections.AddressTaken;
        var canonical = new List<string>();
        foreach (var target in targets)
        {
            if (await directory.TargetAsync(target, cancel).ConfigureAwait(false) is not { } known)
                return Rejection.Invalid($"{LoginNames.ForTheLog(target)} is no address here");
            if (await directory.LeadsToAsync(known, parsed.ToString(), cancel).ConfigureAwait(false))
                return AccountRejections.AliasLoop;
            if (!canonical.Contains(known))
                canonical.Add(known);
        }

        var stream = AccountStreamKinds.AliasStream(parsed.ToString());
        var domain = AccountStreamKinds.DomainStream(parsed.Domain);
        return Answer(await DirectoryCommands.ExecuteAsync(
            _executor, actor, [stream, domain],
            decision => decision.Apply(stream.Key, AliasDecider.Add(
                decision.State<AliasState>(stream.Key), decision.State<DomainState>(domain.Key), parsed, [.. canonical])),
            cancel).ConfigureAwait(false));
    }

    public async Task<Result<Unit>> RemoveAliasAsync(string address, Actor actor, CancellationToken cancel)
    {
        var stream = AccountStreamKinds.AliasStream(LoginNames.Canonical(address));
        return Answer(await DirectoryCommands.ExecuteAsync(
            _executor, actor, [stream],
            decision => decision.Apply(stream.Key, AliasDecider.Remove(decision.State<AliasState>(stream.Key))), cancel)
            .ConfigureAwait(false));
    }

    private async Task<long> CountAddressesAsync(string domain, CancellationToken cancel)
    {
        await using var command = _source.CreateCommand("select count(*) from address where domain = $1");
        command.Parameters.Add(new() { Value = domain });
        return (long)(await command.ExecuteScalarAsync(cancel).ConfigureAwait(false))!;
    }

    private static Result<Unit> Answer(Outcome outcome) => outcome.Rejection is Rejection rejection ? rejection : default(Unit);
}
