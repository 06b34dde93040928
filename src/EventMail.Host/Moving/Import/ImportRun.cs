using EventMail.Domain;
using EventMail.Domain.Mailboxes;
using EventMail.EventStore;
using EventMail.Host.Cli;
using EventMail.Host.Composition;
using EventMail.Projections;
using EventMail.Projections.Mailboxes;

namespace EventMail.Host.Moving.Import;

/// <param name="MaxSize">Octets of a message.</param>
internal sealed record ImportOptions(long MaxSize, bool DryRun, bool IgnoreQuota, LineEnds Lines);

/// <summary>
/// Brings what a source has into an account, by the same command as APPEND: many are on their way at a time, so that they share transactions. It
/// keeps no state of its own: what is there already the log says.
/// </summary>
internal sealed class ImportRun(MailStore store, ImportOptions options, Actor actor)
{
    // Messages, and octets of small ones, that wait for their commit. Large ones are files by then.
    private const int MaxUnderWay = 128;
    private const long MaxOctetsUnderWay = 32L << 20;

    private readonly Queue<(Task<Result<AppendResult>> Task, SourceMessage Message, AppendMessage Append, MailboxRef Mailbox)> _underWay = new();
    private long _octetsUnderWay;
    private bool _full;

    public ImportReport Report { get; } = new();

    /// <exception cref="CommandFailedException">The account is full.</exception>
    public async Task RunAsync(IImportSource source, string account, CancellationToken cancel)
    {
        var target = new ImportTarget(store, account, actor, options.DryRun);
        foreach (var unread in source.Unread)
            Report.Skip(unread);
        Progress? progress = null;
        try
        {
            await foreach (var folder in source.FoldersAsync(cancel))
            {
                progress ??= new Progress("import", source.Total, source.Show);
                var (found, rejection) = await target.MailboxAsync(folder, cancel);
                if (rejection is not null)
                    Report.Skip(new(folder.Name, $"the whole folder: {rejection.Text}"));
                else
                    await FolderAsync(folder, found.Name, found.Mailbox, progress, cancel);
            }
        }
        finally
        {
            progress?.Dispose();
        }
    }

    private async Task FolderAsync(SourceFolder folder, string name, MailboxRef? mailbox, Progress progress, CancellationToken cancel)
    {
        var count = Report.Begin(name);
        var known = mailbox is { } there ? await KnownMessages.LoadAsync(store.Log.Reader, there.Key, cancel) : new();
        try
        {
            await foreach (var message in folder.MessagesAsync(cancel))
            {
                if (message.IsNamed && known.TakeNamed(message.Where))
                    count.CountKnown();
                else if (message.Problem is { } problem)
                    Report.Skip(new(message.Where, problem));
                else if (options.DryRun && message.Size is { } size)
                    count.CountImported(size);
                else
                    await MessageAsync(message, mailbox, known, count, cancel);
                progress.Report(message.Done);
            }
        }
        finally
        {
            // What was handed over is going to be durable, whatever ended the loop.
            while (_underWay.Count > 0)
                await SettleAsync(count);
        }
        ThrowIfFull();
        folder.Damaged.ForEach(Report.Skip);
    }

    private async Task MessageAsync(
        SourceMessage message, MailboxRef? mailbox, KnownMessages known, ImportReport.FolderCount count, CancellationToken cancel)
    {
        await using var intake = new MessageIntake(options.DryRun ? null : store.Log.Contents, options.Lines, options.MaxSize);
        var facts = await message.ReadAsync(intake, cancel);
        if ((facts.Problem ?? intake.Problem) is { } problem)
        {
            Report.Skip(new(message.Where, problem));
            return;
        }
        var date = facts.Date ?? DateTimeOffset.UtcNow;
        var content = await intake.CompleteAsync(cancel);
        // Where nobody knows its date it is another one each time.
        if (facts.Date is not null && known.Take(content?.Digest ?? intake.Digest(), date))
            count.CountKnown();
        else if (content is null)
            count.CountImported(intake.Size);
        else
            await AppendAsync(message, mailbox!.Value, content, facts.Flags, date, count);
    }

    private async Task AppendAsync(
        SourceMessage message, MailboxRef mailbox, StagedContent content, IReadOnlyList<string> flags, DateTimeOffset date,
        ImportReport.FolderCount count)
    {
        while (_underWay.Count >= MaxUnderWay || (_underWay.Count > 0 && _octetsUnderWay + content.Bytes.Length > MaxOctetsUnderWay))
            await SettleAsync(count);
        ThrowIfFull();
        // Not to be cancelled: once it is queued the mailbox's order is settled.
        var append = new AppendMessage(content, flags, date);
        _underWay.Enqueue((ExecuteAsync(mailbox, append, message), message, append, mailbox));
        _octetsUnderWay += content.Bytes.Length;
    }

    private Task<Result<AppendResult>> ExecuteAsync(MailboxRef mailbox, AppendMessage append, SourceMessage message) =>
        store.Mailboxes.ImportAsync(mailbox, append, options.IgnoreQuota, actor, message.Where, CancellationToken.None);

    private async Task SettleAsync(ImportReport.FolderCount count)
    {
        var (task, message, append, mailbox) = _underWay.Dequeue();
        _octetsUnderWay -= append.Content.Bytes.Length;
        var rejection = (await task).Rejection;
        if (rejection is { Kind: RejectionKind.Limit } && append.Flags.Any(IsKeyword))
        {
            // Too many keywords: the message counts more than they do.
            var without = append with { Flags = [.. append.Flags.Where(flag => !IsKeyword(flag))] };
            rejection = (await ExecuteAsync(mailbox, without, message)).Rejection;
            if (rejection is null)
                count.WithoutKeywords++;
        }
        if (rejection is null)
            count.CountImported(append.Content.Size);
        else if (rejection.Kind == RejectionKind.OverQuota)
            _full = true;
        else
            Report.Skip(new(message.Where, rejection.Text));
    }

    private static bool IsKeyword(string flag) => flag[0] != '\\';

    private void ThrowIfFull()
    {
        if (_full)
            throw new CommandFailedException(
                "The account is full. Raise its quota (eventmail account quota) or use --ignore-quota; the same command goes on where this one ended.");
    }
}
