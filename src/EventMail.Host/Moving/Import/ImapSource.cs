using System.Globalization;
using System.Runtime.CompilerServices;
using EventMail.Domain.Mailboxes;
using EventMail.Host.Cli;
using EventMail.Protocols.Imap.Client;

namespace EventMail.Host.Moving.Import;

/// <summary>
/// An account of an IMAP server with all its mailboxes. A message is named by its server, mailbox, UIDVALIDITY and UID, so that an import that is
/// repeated reads only what is new; where the server has given new UIDs all is read again, and known by its octets and date.
/// </summary>
internal sealed class ImapSource(ImapClient client, string host) : IImportSource
{
    // Messages that one command asks about.
    private const int Page = 500;

    private long _done;

    public long? Total { get; private set; }

    public string Show(long done) => $"{done} messages";

    public async IAsyncEnumerable<SourceFolder> FoldersAsync([EnumeratorCancellation] CancellationToken cancel)
    {
        var mailboxes = (await client.ListAsync(cancel)).Where(mailbox => mailbox.Selectable).ToList();
        var total = 0L;
        foreach (var mailbox in mailboxes)
            total += (await TryAsync(() => client.ExamineAsync(mailbox, cancel))).Found?.Messages ?? 0;
        Total = total;
        foreach (var mailbox in mailboxes)
            yield return new Folder(this, mailbox);
    }

    // What it refuses (a mailbox that is gone since it was listed, or that nobody may read) is passed over, and said.
    private static async Task<(T? Found, string? Refusal)> TryAsync<T>(Func<Task<T>> ask) where T : class
    {
        try
        {
            return (await ask(), null);
        }
        catch (ImapClientException e) when (e.Refused)
        {
            return (null, e.Message);
        }
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            using var soon = new CancellationTokenSource(TimeSpan.FromSeconds(5));
            await client.LogOutAsync(soon.Token);
        }
        catch (Exception e) when (e is ImapClientException or OperationCanceledException or ObjectDisposedException or InvalidOperationException)
        {
            // It is gone already.
        }
        await client.DisposeAsync();
    }

    // Levels are those of the server; what separates ours cannot be in one.
    private static string NameOf(RemoteMailbox mailbox) => mailbox.Separator is { } separator && separator != MailboxName.Separator
        ? string.Join(MailboxName.Separator, mailbox.Name.Replace(MailboxName.Separator, '_').Split(separator))
        : mailbox.Name;

    private sealed class Folder(ImapSource source, RemoteMailbox mailbox) : SourceFolder(NameOf(mailbox), mailbox.SpecialUse)
    {
        public override async IAsyncEnumerable<SourceMessage> MessagesAsync([EnumeratorCancellation] CancellationToken cancel)
        {
            var (examined, refusal) = await TryAsync(() => source.Client.ExamineAsync(mailbox, cancel));
            if (examined is null)
                Damaged.Add(new(Name, $"the whole folder: {refusal}"));
            if (examined is not { Messages: > 0 })
                yield break;
            var end = examined.UidNext > 1 ? examined.UidNext - 1 : uint.MaxValue - 1;
            // As many UIDs at a time as are about a page of messages.
            var width = examined.UidNext > 1 ? Math.Max(Page, (ulong)Page * examined.UidNext / examined.Messages) : uint.MaxValue;
            for (ulong first = 1; first <= end; first += width)
            {
                var from = (uint)first;
                (var messages, refusal) = await TryAsync(() => source.Client.DescribeAsync(from, (uint)Math.Min(end, from + width - 1), cancel));
                if (messages is null)
                {
                    Damaged.Add(new(Name, $"from UID {from} on: {refusal}"));
                    yield break;
                }
                foreach (var message in messages)
                    yield return new ImapMessage(source.Client, WhereOf(examined, message), message, ++source._done);
            }
        }

        private string WhereOf(ExaminedMailbox examined, RemoteMessage message) =>
            string.Create(CultureInfo.InvariantCulture, $"import imap {source.Host} {examined.UidValidity}/{message.Uid} {mailbox.Name}");
    }

    private ImapClient Client => client;

    private string Host => host;
}

internal sealed class ImapMessage(ImapClient client, string where, RemoteMessage message, long done) : SourceMessage(where)
{
    public override bool IsNamed => true;

    public override long Done => done;

    public override long? Size => message.Size;

    public override async Task<SourceFacts> ReadAsync(MessageIntake intake, CancellationToken cancel)
    {
        string? problem;
        try
        {
            problem = !await client.ReadAsync(message.Uid, intake.WriteAsync, cancel) ? "is gone from the server meanwhile" : intake.Size == 0 ? "empty" : null;
        }
        catch (ImapClientException e) when (e.Refused)
        {
            problem = e.Message;
        }
        return new([.. message.Flags.Where(flag => FlagNames.Check(flag) is null)], message.InternalDate, problem);
    }
}
