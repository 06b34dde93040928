using System.Text;
using EventMail.EventStore;
using EventMail.Projections.Accounts;
using EventMail.Projections.History.Index;
using EventMail.Projections.Mailboxes;

namespace EventMail.Projections.History.Life;

/// <summary>What a message is asked for by: Message-ID, EMAILID or digest.</summary>
internal sealed class MessageName(EventLog log, HistoryIndex index, SecretKey? key)
{
    private const int DigestLength = 64;

    /// <param name="accounts">Whose EMAILIDs are tried.</param>
    public async Task<MessageTrail> TrailAsync(string name, IReadOnlyList<string> accounts, long end, CancellationToken cancel)
    {
        var trail = new MessageTrail();
        var hex = name.StartsWith('M') ? name[1..] : name;
        if (name.Length == DigestLength && IsHex(name))
        {
            trail.Digests.Add(name.ToLowerInvariant());
        }
        else if (name.Length == EmailIds.Length && hex.Length < name.Length && IsHex(hex))
        {
            foreach (var account in accounts)
                await AddAsync(trail, Encoding.ASCII.GetBytes("M" + hex.ToLowerInvariant()), account, end, cancel).ConfigureAwait(false);
        }
        else
        {
            trail.MessageIds.Add(name.StartsWith('<') && name.EndsWith('>') ? name[1..^1] : name);
        }
        return trail;
    }

    // An EMAILID is a keyed hash: it does not lead back, so the account's contents are tried.
    private async Task AddAsync(MessageTrail trail, byte[] emailId, string account, long end, CancellationToken cancel)
    {
        if (key is null)
            return;
        var ids = new EmailIds(key.ObjectIdKey(account));
        var indexed = await index.PositionAsync(cancel).ConfigureAwait(false);
        if (indexed > 0)
        {
            var term = (await index.KeyAsync(cancel).ConfigureAwait(false)).Account(account);
            await foreach (var content in index.ContentsAsync(term, cancel).ConfigureAwait(false))
                Try(content);
        }
        await foreach (var e in log.Reader.ReadBetweenAsync(indexed, end, cancel).ConfigureAwait(false))
        {
            if (e.Stream.Tenant != account)
                continue;
            if (EventTerms.Content(e.Data) is { } content)
                Try(content.Number);
            else if (EventTerms.Moved(e.Data) is var (_, moved))
                Array.ForEach(moved, Try);
        }

        void Try(long content)
        {
            Span<byte> id = stackalloc byte[EmailIds.Length];
            ids.Write(content, id);
            if (id.SequenceEqual(emailId))
                trail.Contents.Add(content);
        }
    }

    private static bool IsHex(string text) => text.All(char.IsAsciiHexDigit);
}
