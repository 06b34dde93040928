using EventMail.Domain.Retention;
using EventMail.EventStore;

namespace EventMail.Projections.Retention;

/// <summary>A content that was released.</summary>
/// <param name="IsKnown">False: it was not noted what it was encrypted under.</param>
/// <param name="WrappingKey">The name of what it was encrypted under; null where that is not known, and where it was stored plain.</param>
internal sealed record ReleasedContent(long Number, string Sha256, bool IsKnown, string? WrappingKey);

/// <summary>What was released, as the log tells it. It is asked for when something is erased, and then read from one end to the other: nothing else keeps it.</summary>
internal sealed class ReleasedContents(EventLog log)
{
    public async IAsyncEnumerable<ReleasedContent> ReadAsync([System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancel)
    {
        var days = new List<StreamKey>();
        await using (var command = log.DataSource.CreateCommand("select tenant_id, id from public.mt_streams where type = $1 order by id"))
        {
            command.Parameters.Add(new() { Value = ReleaseKind.Instance.Name });
            await using var row = await command.ExecuteReaderAsync(cancel).ConfigureAwait(false);
            while (await row.ReadAsync(cancel).ConfigureAwait(false))
                days.Add(new(row.GetString(0), row.GetGuid(1)));
        }
        foreach (var day in days)
        {
            await foreach (var e in log.Reader.ReadStreamAsync(day, cancel: cancel).ConfigureAwait(false))
                foreach (var content in e.Data is ContentsReleased released ? Of(released) : [])
                    yield return content;
        }
    }

    private static IEnumerable<ReleasedContent> Of(ContentsReleased released)
    {
        if (released.Keys is null)
        {
            for (var n = 0; n < released.Contents.Length; n++)
                yield return new(released.Contents[n], released.Sha256[n], false, null);
            yield break;
        }
        var at = 0;
        foreach (var run in released.Keys)
        {
            for (var end = at + run.Count; at < end; at++)
                yield return new(released.Contents[at], released.Sha256[at], true, run.WrappingKey);
        }
    }

    /// <summary>Contents and the names of their wrapping keys as an event has them.</summary>
    public static ReleasedKey[] RunsOf(IEnumerable<string?> wrappingKeys)
    {
        var runs = new List<ReleasedKey>();
        foreach (var key in wrappingKeys)
        {
            if (runs.Count > 0 && runs[^1].WrappingKey == key)
                runs[^1] = runs[^1] with { Count = runs[^1].Count + 1 };
            else
                runs.Add(new(key, 1));
        }
        return [.. runs];
    }
}
