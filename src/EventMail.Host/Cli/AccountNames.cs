using EventMail.EventStore;
using Npgsql;

namespace EventMail.Host.Cli;

/// <summary>Accounts' addresses, as far as the read model of the directory is there.</summary>
internal sealed class AccountNames(NpgsqlDataSource source)
{
    private const string Table = $"{ReadModelSchema.Name}.account";

    private Dictionary<string, string>? _addresses;

    public async Task<string?> AddressAsync(string tenant, CancellationToken cancel) =>
        (_addresses ??= await ReadAsync(cancel)).GetValueOrDefault(tenant);

    /// <exception cref="CommandFailedException">There is and was no such account.</exception>
    public async Task<string> TenantAsync(string account, CancellationToken cancel)
    {
        _addresses ??= await ReadAsync(cancel);
        foreach (var (tenant, address) in _addresses)
            if (string.Equals(address, account, StringComparison.OrdinalIgnoreCase))
                return tenant;
        await using var command = source.CreateCommand("select exists (select from public.mt_streams where tenant_id = $1)");
        command.Parameters.Add(new() { Value = account });
        return (bool)(await command.ExecuteScalarAsync(cancel))!
            ? account
            : throw new CommandFailedException($"There is no account {account}. `eventmail account list` shows all; a closed one is found by its id.");
    }

    private async Task<Dictionary<string, string>> ReadAsync(CancellationToken cancel)
    {
        var addresses = new Dictionary<string, string>();
        await using (var there = source.CreateCommand($"select to_regclass('{Table}') is not null"))
            if (!(bool)(await there.ExecuteScalarAsync(cancel))!)
                return addresses;
        await using var command = source.CreateCommand($"select account, address from {Table}");
        await using var rows = await command.ExecuteReaderAsync(cancel);
        while (await rows.ReadAsync(cancel))
            addresses[rows.GetString(0)] = rows.GetString(1);
        return addresses;
    }
}
