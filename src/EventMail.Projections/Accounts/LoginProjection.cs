using System.Net;
using EventMail.Domain.Accounts;
using EventMail.EventStore;
using Npgsql;
using NpgsqlTypes;

namespace EventMail.Projections.Accounts;

/// <summary>What of the logins is asked for again: the last one, the places they came from, and the lock-outs.</summary>
public sealed class LoginProjection : IInlineProjection
{
    public string Name => "logins";

    public IReadOnlyList<string> Tables => ["last_login", "login_place", "login_lockout"];

    public Task CreateAsync(NpgsqlConnection connection, CancellationToken cancel) => SqlScript.RunAsync("logins.sql", connection, cancel);

    public bool Reads(object @event) => @event is LoginSucceeded or LoginThrottled;

    public void Fold(CommitBatch batch, NpgsqlBatch sql)
    {
        SortedDictionary<string, (DateTime At, LoginSucceeded Login)>? last = null;
        SortedDictionary<(string Account, string Source), (DateTime First, DateTime Last)>? places = null;
        SortedDictionary<(string Scope, string Key), DateTime>? lockouts = null;
        foreach (var change in batch.Changes)
        {
            if (change.Kind != AccountStreamKinds.Login)
                continue;
            foreach (var e in change.Events)
            {
                var at = e.Timestamp.UtcDateTime;
                switch (e.Data)
                {
                    // Of somebody who was erased.
                    case LoginSucceeded { Client: "" } or LoginThrottled { Source: "" }:
                        break;
                    case LoginSucceeded login:
                        (last ??= new(StringComparer.Ordinal))[e.Stream.Tenant] = (at, login);
                        var place = (e.Stream.Tenant, SourceOf(login.Client));
                        places ??= [];
                        places[place] = (places.TryGetValue(place, out var seen) ? seen.First : at, at);
                        break;
                    case LoginThrottled { LockoutSeconds: > 0 } throttled:
                        (lockouts ??= [])[(throttled.Scope, LoginThrottle.KeyOf(throttled, e.Stream.Tenant))] =
                            at.AddSeconds(throttled.LockoutSeconds);
                        break;
                }
            }
        }
        if (last is not null)
            WriteLast(sql, last);
        if (places is not null)
            WritePlaces(sql, places);
        if (lockouts is not null)
            WriteLockouts(sql, lockouts);
    }

    internal static string SourceOf(string client) =>
        IPAddress.TryParse(client, out var address) ? ClientPrefix.Of(address).ToString() : client;

    private static void WriteLast(NpgsqlBatch sql, SortedDictionary<string, (DateTime At, LoginSucceeded Login)> last) =>
        sql.BatchCommands.Add(new("""
            insert into last_login (account, at, protocol, client)
            select * from unnest($1::varchar[], $2::timestamptz[], $3::varchar[], $4::varchar[])
            on conflict (account) do update set at = excluded.at, protocol = excluded.protocol, client = excluded.client
            """)
        {
            Parameters =
            {
                Texts(last.Keys), Times(last.Values.Select(l => l.At)), Texts(last.Values.Select(l => l.Login.Protocol)),
                Texts(last.Values.Select(l => l.Login.Client)),
            },
        });

    private static void WritePlaces(
        NpgsqlBatch sql, SortedDictionary<(string Account, string Source), (DateTime First, DateTime Last)> places) =>
        sql.BatchCommands.Add(new("""
            insert into login_place (account, source, first, last_day)
            select w.account, w.source, w.first, (w.last at time zone 'utc')::date
            from unnest($1::varchar[], $2::varchar[], $3::timestamptz[], $4::timestamptz[]) as w (account, source, first, last)
            on conflict (account, source) do update set last_day = excluded.last_day
            where login_place.last_day < excluded.last_day
            """)
        {
            Parameters =
            {
                Texts(places.Keys.Select(p => p.Account)), Texts(places.Keys.Select(p => p.Source)),
                Times(places.Values.Select(p => p.First)), Times(places.Values.Select(p => p.Last)),
            },
        });

    private static void WriteLockouts(NpgsqlBatch sql, SortedDictionary<(string Scope, string Key), DateTime> lockouts) =>
        sql.BatchCommands.Add(new("""
            insert into login_lockout (scope, key, until)
            select * from unnest($1::varchar[], $2::varchar[], $3::timestamptz[])
            on conflict (scope, key) do update set until = greatest(login_lockout.until, excluded.until)
            """)
        {
            Parameters = { Texts(lockouts.Keys.Select(l => l.Scope)), Texts(lockouts.Keys.Select(l => l.Key)), Times(lockouts.Values) },
        });

    private static NpgsqlParameter Texts(IEnumerable<string> values) => new() { Value = values.ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Varchar };

    private static NpgsqlParameter Times(IEnumerable<DateTime> values) => new NpgsqlParameter<DateTime[]> { TypedValue = [.. values] };
}
