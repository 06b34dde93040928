using Npgsql;

namespace EventMail.Projections.Accounts;

/// <summary>What the log remembers of a target.</summary>
/// <param name="KnownPlace">The account was logged in to from there lately.</param>
/// <param name="AddressLockedUntil">Null when it is not locked out.</param>
internal readonly record struct RememberedLogins(bool KnownPlace, DateTimeOffset? AddressLockedUntil, DateTimeOffset? AccountLockedUntil);

/// <summary>Asks the login projection. Only after a failure and while locked out: a good login asks nothing.</summary>
internal sealed class LoginMemory(NpgsqlDataSource source, LoginThrottleOptions options, TimeProvider time)
{
    private const string Sql = $"""
        select
          (select last_day >= $3 from login_place where account = $1 and source = $2),
          (select until from login_lockout where scope = '{LoginThrottle.ByAddress}' and key = $2),
          (select until from login_lockout where scope = '{LoginThrottle.ByAccount}' and key = $1)
        """;

    public async Task<RememberedLogins> OfAsync(LoginTarget target, CancellationToken cancel)
    {
        var now = time.GetUtcNow();
        await using var command = source.CreateCommand(Sql);
        command.Parameters.Add(new() { Value = target.Account });
        command.Parameters.Add(new() { Value = target.Source.ToString() });
        command.Parameters.Add(new() { Value = DateOnly.FromDateTime((now - options.KnownPlaceFor).UtcDateTime) });
        await using var row = await command.ExecuteReaderAsync(cancel).ConfigureAwait(false);
        await row.ReadAsync(cancel).ConfigureAwait(false);
        return new(!row.IsDBNull(0) && row.GetBoolean(0), Until(1), Until(2));

        DateTimeOffset? Until(int column) =>
            !row.IsDBNull(column) && row.GetFieldValue<DateTimeOffset>(column) is var until && until > now ? until : null;
    }
}
