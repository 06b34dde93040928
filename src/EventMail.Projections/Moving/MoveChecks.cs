using EventMail.Domain.Accounts;
using EventMail.EventStore;
using EventMail.Projections.Accounts;
using Npgsql;

namespace EventMail.Projections.Moving;

/// <summary>What must be there before an account moves, and what stays behind.</summary>
internal static class MoveChecks
{
    /// <exception cref="TenantMoveException">It cannot move as things are: the message says what to do.</exception>
    public static async Task RequireAsync(AccountState state, MoveSide source, MoveSide target, CancellationToken cancel)
    {
        if (state.Status == AccountStatus.Suspended)
            throw new TenantMoveException($"{state.Address} is suspended: resume it before it moves.");
        var domain = state.Address[(state.Address.LastIndexOf('@') + 1)..];
        await using (var command = target.Log.DataSource.CreateCommand("select exists (select from mail_domain where name = $1)"))
        {
            command.Parameters.Add(new() { Value = domain });
            if (!(bool)(await command.ExecuteScalarAsync(cancel))!)
                throw new TenantMoveException($"The target does not have the mail domain {domain}: eventmail domain add {domain}, there.");
        }
        if (await target.Directory.MeaningAsync(state.Address, cancel) is not NameMeaning.Nothing)
            throw new TenantMoveException($"The target has an account or alias {state.Address} already.");
    }

    /// <summary>True for an account that was here in part or in whole before.</summary>
    public static async Task<bool> IsKnownAsync(EventLog log, string account, CancellationToken cancel)
    {
        await using var command = log.DataSource.CreateCommand("select exists (select from public.mt_streams where tenant_id = $1)");
        command.Parameters.Add(new() { Value = account });
        return (bool)(await command.ExecuteScalarAsync(cancel))!;
    }

    /// <summary>Aliases of the source that lead to the address and that the target does not have: they belong to the domain and not to the account.</summary>
    public static async Task<IReadOnlyList<string>> AliasesLeftAsync(string address, MoveSide source, MoveSide target, CancellationToken cancel)
    {
        var aliases = new List<string>();
        await using var command = source.Log.DataSource.CreateCommand("select address from address where $1 = any(targets) order by address");
        command.Parameters.Add(new() { Value = address });
        await using (var row = await command.ExecuteReaderAsync(cancel))
        {
            while (await row.ReadAsync(cancel))
                aliases.Add(row.GetString(0));
        }
        var left = new List<string>();
        foreach (var alias in aliases)
        {
            if (await target.Directory.MeaningAsync(alias, cancel) is NameMeaning.Nothing)
                left.Add(alias);
        }
        return left;
    }
}
