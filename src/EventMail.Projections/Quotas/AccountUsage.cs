using EventMail.Domain.Mailboxes;

namespace EventMail.Projections.Quotas;

/// <summary>What is in mailboxes.</summary>
internal readonly record struct MailTotals(long Bytes, long Messages)
{
    public static MailTotals operator +(MailTotals a, MailTotals b) => new(a.Bytes + b.Bytes, a.Messages + b.Messages);

    /// <param name="state">Of a stream of any kind.</param>
    public static MailTotals Of(object state) =>
        state is MailboxState { Deleted: false } mailbox ? new(mailbox.Bytes, mailbox.Messages) : default;

    public static MailTotals operator -(MailTotals a, MailTotals b) => new(a.Bytes - b.Bytes, a.Messages - b.Messages);
}

/// <summary>What is in an account's mailboxes, each at the version of its stream, so that no commit is counted twice. Thread-safe.</summary>
internal sealed class AccountUsage
{
    private readonly Dictionary<Guid, (long Version, MailTotals Mail)> _mailboxes = [];
    private readonly Lock _lock = new();
    private MailTotals _used;
    private long _loadedAt = long.MinValue;

    /// <summary>Null while the mailboxes are still being read for the first time.</summary>
    public MailTotals? Used
    {
        get
        {
            if (LoadedAt == long.MinValue)
                return null;
            lock (_lock)
                return _used;
        }
    }

    /// <summary>When the mailboxes were last read, as Environment.TickCount64.</summary>
    public long LoadedAt => Volatile.Read(ref _loadedAt);

    public void Note(Guid mailbox, long version, MailTotals mail)
    {
        lock (_lock)
        {
            var known = _mailboxes.GetValueOrDefault(mailbox);
            if (known.Version >= version)
                return;
            _mailboxes[mailbox] = (version, mail);
            _used += mail - known.Mail;
        }
    }

    /// <summary>What is used, and what would be with these mailboxes at these versions; one each.</summary>
    public (MailTotals Now, MailTotals Then) With(IEnumerable<(Guid Mailbox, long Version, MailTotals Mail)> changed)
    {
        lock (_lock)
        {
            var used = _used;
            foreach (var (mailbox, version, mail) in changed)
            {
                var known = _mailboxes.GetValueOrDefault(mailbox);
                if (known.Version < version)
                    used += mail - known.Mail;
            }
            return (_used, used);
        }
    }

    public void Loaded() => Volatile.Write(ref _loadedAt, Environment.TickCount64);
}
