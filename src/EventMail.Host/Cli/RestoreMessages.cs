using EventMail.Domain.Mailboxes;
using EventMail.Projections.History;
using EventMail.Projections.Mailboxes;

namespace EventMail.Host.Cli;

/// <summary>The messages that `restore` is asked for: UIDs of a mailbox, Message-IDs, email ids or digests.</summary>
/// <param name="Uids">Null: none are named so.</param>
/// <param name="Names">Those that are not UIDs.</param>
internal sealed record RestoreMessages(UidSet? Uids, IReadOnlyList<string> Names)
{
    private const int DigestLength = 64;

    /// <exception cref="CommandFailedException">One is none of these.</exception>
    public static RestoreMessages Parse(IEnumerable<string> words)
    {
        var (uids, names) = (default(UidSet), new List<string>());
        foreach (var word in words)
        {
            if (UidSet.TryParse(word, out var set))
                uids = uids?.Union(set) ?? set;
            else if (word.Contains('@', StringComparison.Ordinal) || IsEmailId(word) || (word.Length == DigestLength && word.All(char.IsAsciiHexDigit)))
                names.Add(word);
            else
                throw new CommandFailedException(
                    $"{word} are no UIDs (3,7:12, ascending), and it is no Message-ID, email id or SHA-256 either.", ExitCodes.Usage);
        }
        return new(uids, names);
    }

    /// <summary>What the names lead to; null when there are none.</summary>
    /// <exception cref="CommandFailedException">One leads to nothing.</exception>
    public async Task<IReadOnlySet<long>?> ContentsAsync(HistoryLog history, string account, CancellationToken stop)
    {
        if (Names.Count == 0)
            return null;
        var all = new HashSet<long>();
        foreach (var name in Names)
        {
            var contents = await history.ContentsAsync(name, account, stop);
            if (contents.Count == 0)
                throw new CommandFailedException($"No message {name} is in the log of this account. `eventmail history` shows what is.");
            all.UnionWith(contents);
        }
        return all;
    }

    private static bool IsEmailId(string word) => word.Length == EmailIds.Length && word[0] == 'M' && word.Skip(1).All(char.IsAsciiHexDigit);
}
