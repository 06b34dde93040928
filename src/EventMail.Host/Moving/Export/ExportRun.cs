using System.Numerics;
using EventMail.Domain.Mailboxes;
using EventMail.EventStore;
using EventMail.Host.Cli;
using EventMail.Projections.Past;

namespace EventMail.Host.Moving.Export;

/// <summary>Writes an account's mailboxes as of an instant: what arrives or changes meanwhile is not in it.</summary>
internal sealed class ExportRun(EventLog log, IExportTarget target)
{
    // Messages that are asked for at once: behind one that cannot be read, what is left of them is asked for again.
    private const int Page = 1000;

    private readonly PastMailboxes _past = new(log);

    public long Messages { get; private set; }

    public long Octets { get; private set; }

    /// <summary>Messages whose content is gone: released or erased.</summary>
    public List<string> Missing { get; } = [];

    public async Task RunAsync(IReadOnlyList<PastMailbox> mailboxes, CancellationToken cancel)
    {
        foreach (var mailbox in mailboxes)
        {
            var state = await _past.OpenAsync(mailbox.Key, mailbox.Version, cancel);
            var (view, rows) = (state.View ?? MailboxView.Empty, RowsOf(state));
            using var progress = new Progress($"export {mailbox.Name}", rows.Count, count => $"{count} messages");
            await target.BeginAsync(new(mailbox.Name, mailbox.UidValidity, view.Flags.Keywords), cancel);
            await MailboxAsync(mailbox.Name, rows, view.Flags, progress, cancel);
        }
        await target.EndAsync(cancel);
    }

    private static List<MessageRow> RowsOf(MailboxState state)
    {
        var rows = new List<MessageRow>();
        if (state.View is not { } view)
            return rows;
        for (var i = 0; i < view.Count; i++)
            rows.Add(view[i]);
        return rows;
    }

    private async Task MailboxAsync(string mailbox, List<MessageRow> rows, FlagTable flags, Progress progress, CancellationToken cancel)
    {
        for (var next = 0; next < rows.Count;)
        {
            var rest = rows.GetRange(next, Math.Min(Page - next % Page, rows.Count - next));
            try
            {
                await foreach (var content in log.Contents.ReadManyAsync(
                    [.. rest.Select(row => row.Content)], [.. rest.Select(row => (long)row.Size)], keep: false, cancel: cancel))
                {
                    await using (content)
                    {
                        var row = rows[next];
                        await target.WriteAsync(new(row.Uid, DateTimeOffset.FromUnixTimeSeconds(row.InternalDate), NamesOf(flags, row.Flags), content, await ExportedMessage.HasCrlfAsync(content, cancel)), cancel);
                        next++;
                        Messages++;
                        Octets += content.Size;
                        progress.Report(next);
                    }
                }
            }
            catch (ContentUnreadableException gone)
            {
                Missing.Add($"{mailbox}, UID {rows[next].Uid}: {gone.Message}");
                next++;
            }
        }
    }

    private static List<string> NamesOf(FlagTable flags, ulong mask)
    {
        var names = new List<string>(BitOperations.PopCount(mask));
        for (; mask != 0; mask &= mask - 1)
            names.Add(flags.NameOf(BitOperations.TrailingZeroCount(mask)));
        return names;
    }
}
