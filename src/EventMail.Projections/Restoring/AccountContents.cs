using System.Runtime.InteropServices;
using EventMail.Domain.Mailboxes;
using EventMail.EventStore;
using EventMail.Projections.Mailboxes;
using EventMail.Projections.Past;
using EventMail.Projections.Retention;
using Npgsql;

namespace EventMail.Projections.Restoring;

/// <summary>
/// Where an account's messages have gone since an instant, for those that a restore misses: read once, when the first of them is missing.
/// </summary>
internal sealed class AccountContents(
    NpgsqlDataSource source, MailboxViews views, PastMailboxes past, DateTimeOffset since, IReadOnlyList<(StreamKey Key, string? SpecialUse)> mailboxes)
{
    // What is there was thrown away.
    private static readonly string[] Thrown = [SpecialUses.Trash, SpecialUses.Junk];

    private List<(StreamKey Key, HashSet<long> Contents)>? _came;

    /// <summary>
    /// Those of these contents that have come into another mailbox than this one, Trash and Junk aside. A copy that was there before is no
    /// place where a message went.
    /// </summary>
    public async Task<HashSet<long>> ElsewhereAsync(StreamKey mailbox, IReadOnlyCollection<long> contents, CancellationToken cancel)
    {
        _came ??= await ReadAsync(cancel);
        return [.. contents.Where(content => _came.Exists(came => came.Key != mailbox && came.Contents.Contains(content)))];
    }

    /// <summary>Those of these contents that are not kept any more.</summary>
    public Task<HashSet<long>> ReleasedAsync(IReadOnlyCollection<long> contents, CancellationToken cancel) => new RevivedContents(source).GoneAsync(contents, cancel);

    private async Task<List<(StreamKey, HashSet<long>)>> ReadAsync(CancellationToken cancel)
    {
        var all = new List<(StreamKey, HashSet<long>)>();
        foreach (var (key, use) in mailboxes)
        {
            if (!Thrown.Contains(use) && await CameAsync(key, cancel) is { Count: > 0 } came)
                all.Add((key, came));
        }
        return all;
    }

    // What a mailbox has more of than it had.
    private async Task<HashSet<long>> CameAsync(StreamKey mailbox, CancellationToken cancel)
    {
        var (now, version) = (await views.LoadAsync(mailbox, cancel), await past.VersionAtAsync(mailbox, since, cancel));
        if (now.View is not { } view || now.Version == version)
            return [];
        var counts = new Dictionary<long, int>(view.Count);
        Count(view, 1);
        if ((await past.OpenAsync(mailbox, version, cancel)).View is { } before)
            Count(before, -1);
        return [.. counts.Where(content => content.Value > 0).Select(content => content.Key)];

        void Count(MailboxView messages, int each)
        {
            foreach (var slice in messages.Slices())
                foreach (var content in slice.Contents)
                    CollectionsMarshal.GetValueRefOrAddDefault(counts, content, out _) += each;
        }
    }
}
