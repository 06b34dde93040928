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
        if (_searches.Count >= session.Limits.MaxSearchUpdates || search.Uids.Ranges.Length > session.Limits.MaxSavedRanges)
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
            await TellAsync(search, before, search.Uids.Intersect(vanished), UidSet.Empty).ConfigureAwait(false);
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
            if (asked.IsEmpty || await MatchAsync(search, now, asked).ConfigureAwait(false) is not { } matching)
                continue;
            var before = search.Uids.Intersect(asked);
            await TellAsync(search, now, before.Except(matching), matching.Except(before)).ConfigureAwait(false);
            if (search.Uids.Ranges.Length > session.Limits.MaxSavedRanges)
                Drop(search);
        }
    }

    private async ValueTask<UidSet?> MatchAsync(UpdatedSearch search, MailboxView now, UidSet asked)
    {
        search.Context.MoveTo(now);
        var progress = new SearchProgress(session, search.Tag, now.Count);
        try
        {
            var found = await new SearchRunner(session, search.Context, search.Key, progress)
                .MatchAsync(now.SequenceOfUids(asked)).ConfigureAwait(false);
            return progress.GivenUp is null ? now.UidsOfSequence(found) : null;
        }
        catch (Exception error) when (error is DbException or IOException or TimeoutException)
        {
            // The client must not believe in a result that is no longer kept right.
            session.Failed(error, "UPDATE");
            Drop(search);
            return null;
        }
    }

    private void Drop(UpdatedSearch search)
    {
        _searches.Remove(search);
        Refuse(session.Writer, search.Tag);
    }

    private async ValueTask TellAsync(UpdatedSearch search, MailboxView view, UidSet removed, UidSet added)
    {
        if (removed.IsEmpty && added.IsEmpty)
            return;
        search.Uids = search.Uids.Except(removed).Union(added);
        var writer = session.Writer;
        writer.InResponse = true;
        SearchResponse.Begin(writer, search.Tag, search.ByUid, search.Mailbox);
        Item(" REMOVEFROM (0 "u8, removed);
        Item(" ADDTO (0 "u8, added);
        writer.Crlf();
        writer.InResponse = false;
        await writer.FlushIfFullAsync().ConfigureAwait(false);

        // Position 0: in mailbox order, wherever that is (§4.3.3).
        void Item(ReadOnlySpan<byte> name, UidSet uids)
        {
            if (uids.IsEmpty)
                return;
            writer.Raw(name);
            writer.Ascii((search.ByUid ? uids : view.SequenceOfUids(uids)).ToString());
            writer.Byte((byte)')');
        }
    }
}

/// <summary>A search with UPDATE. The answers to an ESEARCH name the mailbox.</summary>
internal sealed class UpdatedSearch(string tag, bool byUid, SearchedMailbox? mailbox, SearchKey key, SearchContext context, UidSet uids)
{
    public string Tag => tag;

    public bool ByUid => byUid;

    public SearchedMailbox? Mailbox => mailbox;

    public SearchKey Key => key;

    public SearchContext Context => context;

    /// <summary>The result as the client has been told it.</summary>
    public UidSet Uids { get; set; } = uids;
}
