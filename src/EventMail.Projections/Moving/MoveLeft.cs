using EventMail.Domain.Accounts;
using EventMail.Projections.Accounts;

namespace EventMail.Projections.Moving;

/// <summary>What has to do with an account and does not go with it, since it is the server's: for who moves it to see to.</summary>
/// <param name="Aliases">That lead to it in the source and are not in the target.</param>
/// <param name="Webhooks">URLs of the source's webhooks that tell of this account alone.</param>
/// <param name="Erased">Digests of contents that were erased in the source and that the target still has, from when the account was there before.</param>
public sealed record MoveLeft(IReadOnlyList<string> Aliases, IReadOnlyList<string> Webhooks, IReadOnlyList<string> Erased)
{
    internal static async Task<MoveLeft> FindAsync(AccountState state, MoveSide source, MoveSide target, CancellationToken cancel) => new(
        await AliasesAsync(state.Address, source, target, cancel),
        [.. (await source.Webhooks.ListAsync(cancel)).Where(hook => hook.Account == state.Account).Select(hook => hook.Url)],
        await ErasedAsync(source, target, cancel));

    private static async Task<IReadOnlyList<string>> AliasesAsync(string address, MoveSide source, MoveSide target, CancellationToken cancel)
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

    // Numbers of one database are not another's, so that one which both have is of an account that has been in both.
    private static async Task<IReadOnlyList<string>> ErasedAsync(MoveSide source, MoveSide target, CancellationToken cancel)
    {
        var erased = (await source.Erasures.ListAsync(open: false, cancel)).SelectMany(erasure => erasure.Order.Contents).Select(content => content.Number).Distinct().ToArray();
        if (erased.Length == 0)
            return [];
        await using var command = target.Log.DataSource.CreateCommand(
            "select coalesce(array_agg(distinct encode(digest, 'hex')), '{}') from eventmail.content where number = any($1)");
        command.Parameters.Add(new Npgsql.NpgsqlParameter<long[]> { TypedValue = erased });
        return (string[])(await command.ExecuteScalarAsync(cancel))!;
    }
}
