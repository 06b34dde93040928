using EventMail.Domain.Mailboxes;
using Npgsql;

namespace EventMail.Projections.Past;

/// <summary>Whether the contents of messages of the past are still kept.</summary>
internal static class PastContents
{
    // Contents that one statement asks for.
    private const int Page = 10_000;

    private const string Missing = """
        select n from unnest($1::bigint[]) as w (n)
        where not exists (select from eventmail.content c where c.number = w.n) limit 1
        """;

    /// <summary>The first of these messages whose content was given up, as far as its row says; null when all are there.</summary>
    public static async Task<uint?> FirstGoneAsync(NpgsqlDataSource source, MailboxView view, UidSet uids, CancellationToken cancel)
    {
        var page = new Dictionary<long, uint>();
        foreach (var uid in view.Existing(uids))
        {
            page.TryAdd(view[view.IndexOf(uid)].Content, uid);
            if (page.Count == Page && await LookAsync() is { } gone)
                return gone;
        }
        return await LookAsync();

        async Task<uint?> LookAsync()
        {
            await using var command = source.CreateCommand(Missing);
            command.Parameters.Add(new NpgsqlParameter<long[]> { TypedValue = [.. page.Keys] });
            var gone = await command.ExecuteScalarAsync(cancel) is long number ? page[number] : (uint?)null;
            page.Clear();
            return gone;
        }
    }
}
