using EventMail.Domain.Mailboxes;
using EventMail.EventStore;
using EventMail.Projections.Mailboxes;
using EventMail.Projections.Retention;
using Npgsql;

namespace EventMail.Projections.Restoring;

/// <summary>Where an account's messages are now, for those that a restore misses: read once, when the first of them is missing.</summary>
internal sealed class AccountContents(NpgsqlDataSource source, MailboxViews views, IReadOnlyList<(StreamKey Key, string? SpecialUse)> mailboxes)
{
    // What is there was thrown away.
    private static readonly string[] Thrown = [SpecialUses.Trash, SpecialUses.Junk];

    private List<(StreamKey Key, HashSet<long> Contents)>? _kept;

    /// <summary>Those of these contents that are in another mailbox than this one, Trash and Junk aside.</summary>
    public async Task<HashSet<long>> ElsewhereAsync(StreamKey mailbox, IReadOnlyCollection<long> contents, CancellationToken cancel)
    {
        _kept ??= await ReadAsync(cancel);
        return [.. contents.Where(content => _kept.Exists(kept => kept.Key != mailbox && kept.Contents.Contains(content)))];
    }

    /// <summary>Those of these contents that are not kept any more.</summary>
    public Task<HashSet<long>> ReleasedAsync(IReadOnlyCollection<long> contents, CancellationToken cancel) => new RevivedContents(source).GoneAsync(contents, cancel);

    private async Task<List<(StreamKey, HashSet<long>)>> ReadAsync(CancellationToken cancel)
    {
        var all = new List<(StreamKey, HashSet<long>)>();
        foreach (var (key, use) in mailboxes)
        {
            if (Thrown.Contains(use) || (await views.LoadAsync(key, cancel)).View is not { } view)
                continue;
            var contents = new HashSet<long>(view.Count);
            foreach (var slice in view.Slices())
                foreach (var content in slice.Contents)
                    contents.Add(content);
            all.Add((key, contents));
        }
        return all;
    }
}
