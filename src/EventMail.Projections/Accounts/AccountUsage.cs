namespace EventMail.Projections.Accounts;

/// <summary>The bytes in an account's mailboxes, each at the version of its stream, so that no commit is counted twice. Thread-safe.</summary>
internal sealed class AccountUsage
{
    private readonly Dictionary<Guid, (long Version, long Bytes)> _mailboxes = [];
    private readonly Lock _lock = new();
    private long _used;
    private long _loadedAt = long.MinValue;

    /// <summary>Null while the mailboxes are still being read for the first time.</summary>
    public long? Used => Volatile.Read(ref _loadedAt) == long.MinValue ? null : Interlocked.Read(ref _used);

    /// <summary>When the mailboxes were last read, as Environment.TickCount64.</summary>
    public long LoadedAt => Volatile.Read(ref _loadedAt);

    public void Note(Guid mailbox, long version, long bytes)
    {
        lock (_lock)
        {
            var known = _mailboxes.GetValueOrDefault(mailbox);
            if (known.Version >= version)
                return;
            _mailboxes[mailbox] = (version, bytes);
            Interlocked.Add(ref _used, bytes - known.Bytes);
        }
    }

    /// <summary>What would be used with these mailboxes at these versions; one each.</summary>
    public long With(IEnumerable<(Guid Mailbox, long Version, long Bytes)> changed)
    {
        lock (_lock)
        {
            var used = _used;
            foreach (var (mailbox, version, bytes) in changed)
            {
                var known = _mailboxes.GetValueOrDefault(mailbox);
                if (known.Version < version)
                    used += bytes - known.Bytes;
            }
            return used;
        }
    }

    public void Loaded() => Volatile.Write(ref _loadedAt, Environment.TickCount64);
}
