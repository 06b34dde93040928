using System.Data.Common;
using EventMail.Domain.Mailboxes;
using EventMail.Protocols.Imap.Responses;

namespace EventMail.Protocols.Imap.Searching;

/// <summary>The searches in the selected mailbox whose changes are told: ADDTO and REMOVEFROM (RFC 5267 §4.3). They end with the selection.</summary>
internal sealed class SearchUpdates(ImapSession session)
{
    private readonly List<UpdatedSearch> _searches = [];

    public bool Has(string tag) => _searches.Exists(search => search.Tag == tag);

    public bool IsEmpty => _searches.Count == 0;

    public bool HasTimed => _searches.Exists(search => search.Key.ChangesWithTime);

    /// <summary>False when there are too many, or it found too much, or it would have to read messages again and again as time goes by.</summary>
    public bool TryAdd(UpdatedSearch search)
    {
        if (search.Key is { ChangesWithTime: true, Cost: not SearchCost.Columns })
            return false;
        if (_searches.Count >= session.Limits.MaxSearchUpdates || IsTooMuch(search, _searches.Sum(other => other.Size) + search.Size))
            return false;
        _searches.Add(search);
        return true;
    }

    public bool TryCancel(IReadOnlyList<string> tags)
    {
        if (!tags.All(Has))
            return false;
        _searches.RemoveAll(search => tags.Contains(search.Tag, StringComparer.Ordinal));
        return true;
    }

    /// <summary>RFC 5267 §4.3.1.</summary>
    public static void Refuse(ImapWriter writer, string tag) => writer.Untagged("NO"u8, $"NOUPDATE \"{tag}\"", "Changes will not be told");

    /// <summary>§4.3.4: REMOVEFROM of what is expunged comes before EXPUNGE, so that its numbers are still valid.</summary>
    public async ValueTask TellVanishedAsync(MailboxView before, UidSet vanished)
    {
        if (vanished.IsEmpty)
            return;
        foreach (var search in _searches)
            await search.TellAsync(session.Writer, before, search.Uids.Intersect(vanished), UidSet.Empty).ConfigureAwait(false);
    }

    /// <summary>§4.3.3: ADDTO of what is new comes behind EXISTS.</summary>
    /// <param name="now">What the client knows now.</param>
    /// <param name="changed">UIDs.</param>
    /// <param name="added">UIDs.</param>
    public async ValueTask TellChangedAsync(MailboxView now, UidSet changed, UidSet added)
    {
        // One that cannot be told any more goes out of the list.
        foreach (var search in _searches.ToArray())
        {
            var asked = search.Key.ChangesWithTime ? now.UidsAt(0, now.Count)
                : search.Key.ChangesWithFlags ? changed.Union(added)
                : added;
            if (asked.IsEmpty)
                continue;
            try
            {
                await TellAsync(search, now, asked).ConfigureAwait(false);
                if (IsTooMuch(search, _searches.Sum(other => other.Size)))
                    Drop(search);
            }
            catch (Exception error) when (error is DbException or IOException or TimeoutException)
            {
                // The client must not believe in a result that is no longer kept right.
                session.Failed(error, "UPDATE");
                Drop(search);
            }
        }
    }

    private async ValueTask TellAsync(UpdatedSearch search, MailboxView now, UidSet asked)
    {
        search.Context.MoveTo(now);
        var progress = new SearchProgress(session, search.Tag, now.Count);
        var found = await new SearchRunner(session, search.Context, search.Key, progress)
            .MatchAsync(now.SequenceOfUids(asked)).ConfigureAwait(false);
        if (progress.GivenUp is not null)
            return;
        var (matching, before) = (now.UidsOfSequence(found), search.Uids.Intersect(asked));
        await search.TellAsync(session.Writer, now, before.Except(matching), matching.Except(before)).ConfigureAwait(false);
    }

    private bool IsTooMuch(UpdatedSearch search, int sizeOfAll) =>
        search.Size > session.Limits.MaxSavedRanges || sizeOfAll > session.Limits.MaxUpdatedResults;

    private void Drop(UpdatedSearch search)
    {
        _searches.Remove(search);
        Refuse(session.Writer, search.Tag);
    }
}
