using EventMail.Domain;
using EventMail.EventStore;
using Npgsql;

namespace EventMail.Projections.Retention;

/// <summary>
/// Contents that a command names again while perhaps no message does: they must be there at its commit, and are not released while it is on its way. One for
/// each command.
/// </summary>
internal sealed class RevivedContents(NpgsqlDataSource source)
{
    public static readonly Rejection Released = new(RejectionKind.TryAgain, "The content of a message was given up at this moment");

    private HashSet<long> _gone = [];

    /// <returns>False when the command was deferred or refused.</returns>
    public bool Hold(Decision decision, IReadOnlyCollection<long> contents)
    {
        if (_gone.Overlaps(contents))
        {
            decision.Reject(Released);
            return false;
        }
        // Something that was decided on did not hold: perhaps this.
        if (decision.TermsFailed)
        {
            decision.Defer(async cancel => _gone = await GoneAsync(contents, cancel));
            return false;
        }
        decision.Hold(contents);
        return true;
    }

    /// <summary>Those of these contents that are not stored.</summary>
    public async Task<HashSet<long>> GoneAsync(IReadOnlyCollection<long> contents, CancellationToken cancel)
    {
        const string sql = "select n from unnest($1::bigint[]) n where not exists (select from eventmail.content c where c.number = n)";
        var gone = new HashSet<long>();
        if (contents.Count == 0)
            return gone;
        await using var command = source.CreateCommand(sql);
        command.Parameters.Add(new NpgsqlParameter<long[]> { TypedValue = [.. contents] });
        await using var reader = await command.ExecuteReaderAsync(cancel);
        while (await reader.ReadAsync(cancel))
            gone.Add(reader.GetInt64(0));
        return gone;
    }
}
