using System.Globalization;
using System.Text;
using EventMail.Domain.Mailboxes;
using EventMail.Domain.Mailstores;
using EventMail.EventStore;
using EventMail.Protocols.Imap.Grammar;

namespace EventMail.Host.Moving.Export;

/// <summary>A Maildir with Maildir++ folders, as Dovecot reads it.</summary>
internal sealed class MaildirTarget(string unfinished) : IExportTarget
{
    // What file systems take, and our own imports as one level, should nobody find the levels in it any more.
    private const int MaxName = MailboxLimits.MaxLevelBytes;

    private readonly HashSet<string> _taken = new(StringComparer.Ordinal);
    private readonly List<RenamedMailbox> _renamed = [];
    private ExportedMailbox _mailbox = null!;
    private string _folder = "";
    private string[] _keywords = [];

    public string Unfinished => unfinished;

    public IReadOnlyList<RenamedMailbox> Renamed => _renamed;

    public async Task BeginAsync(ExportedMailbox mailbox, CancellationToken cancel)
    {
        _mailbox = mailbox;
        _folder = mailbox.Name == MailboxName.Inbox ? unfinished : Path.Combine(unfinished, FolderOf(mailbox.Name));
        foreach (var name in (string[])["cur", "new", "tmp"])
            OwnFolders.Make(Path.Combine(_folder, name));
        if (_folder != unfinished)
            await VerifiedFile.WriteAsync(Path.Combine(_folder, "maildirfolder"), "", cancel);
        // $Forwarded among them: Dovecot passes over its letter P.
        _keywords = [.. mailbox.Keywords.Take(MaildirName.MaxKeywords)];
        if (_keywords.Length > 0)
            await VerifiedFile.WriteAsync(
                Path.Combine(_folder, "dovecot-keywords"), string.Concat(_keywords.Select((keyword, i) => string.Create(CultureInfo.InvariantCulture, $"{i} {keyword}\n"))), cancel);
    }

    private string FolderOf(string mailbox)
    {
        string[] levels = [.. mailbox.Split(MailboxName.Separator).Select(level => Encoding.ASCII.GetString(ModifiedUtf7.Encode(level)))];
        var name = MaildirFolder.Of(levels);
        for (var i = 1; ; i++)
        {
            // All levels are in one name, in ASCII: what is too long for it is cut.
            var suffix = i == 1 ? "" : string.Create(CultureInfo.InvariantCulture, $"~{i}");
            var free = name[..Math.Min(name.Length, MaxName - suffix.Length)].TrimEnd('.') + suffix;
            // Not there, either: a file system may tell no capitals from small letters.
            if (!_taken.Add(free) || Path.Exists(Path.Combine(unfinished, free)))
                continue;
            if (free[1..] != string.Join('.', levels) || Array.Exists(levels, level => level.Contains('.', StringComparison.Ordinal)))
                _renamed.Add(new(mailbox, Path.Combine(unfinished, free)));
            return free;
        }
    }

    public async Task WriteAsync(ExportedMessage message, CancellationToken cancel)
    {
        var unique = string.Create(CultureInfo.InvariantCulture, $"{Math.Max(0, message.Date.ToUnixTimeSeconds())}.V{_mailbox.UidValidity}U{message.Uid}.eventmail");
        await using var file = VerifiedFile.Create(Path.Combine(_folder, "tmp", unique));
        var lines = new MboxQuoter(toLf: message.HasCrlf, quote: false);
        await foreach (var piece in message.PiecesAsync(cancel))
        {
            lines.Write(piece.Span, file.Output);
            await file.FlushAsync(cancel);
        }
        lines.Finish(file.Output);
        await file.FinishAsync(cancel);
        File.SetLastWriteTimeUtc(file.Path, message.Date.UtcDateTime);
        File.Move(file.Path, Path.Combine(_folder, "cur", MaildirName.Write(unique, file.Octets, message.Content.Size, message.Flags, _keywords)));
    }

    public Task EndAsync(CancellationToken cancel) => Task.CompletedTask;
}
