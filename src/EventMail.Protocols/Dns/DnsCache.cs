using System.Text;

namespace EventMail.Protocols.Dns;

internal readonly record struct DnsKey(string Name, DnsType Type);

/// <summary>Answers until their TTL is over, bounded in number and in octets: what was not used the longest goes first. Thread-safe.</summary>
internal sealed class DnsCache(int maxEntries, long maxBytes, TimeProvider time)
{
    // The objects around an answer and around each of its records.
    private const int EntryOverhead = 400;
    private const int RecordOverhead = 80;

    private sealed record Entry(DnsKey Key, DnsAnswer Answer, DateTimeOffset Until, long Bytes);

    private readonly Lock _lock = new();
    private readonly Dictionary<DnsKey, LinkedListNode<Entry>> _entries = [];
    private readonly LinkedList<Entry> _byUse = new(); // the latest first
    private long _bytes;

    public int Count
    {
        get
        {
            lock (_lock)
                return _entries.Count;
        }
    }

    public long Bytes
    {
        get
        {
            lock (_lock)
                return _bytes;
        }
    }

    public DnsAnswer? Find(DnsKey key)
    {
        lock (_lock)
        {
            if (!_entries.TryGetValue(key, out var node))
                return null;
            if (node.Value.Until <= time.GetUtcNow())
            {
                Remove(node);
                return null;
            }
            _byUse.Remove(node);
            _byUse.AddFirst(node);
            return node.Value.Answer;
        }
    }

    public void Add(DnsKey key, DnsAnswer answer, TimeSpan ttl)
    {
        if (ttl <= TimeSpan.Zero)
            return;
        var bytes = BytesOf(key, answer);
        // One answer is not worth all others.
        if (bytes > maxBytes / 4)
            return;
        lock (_lock)
        {
            if (_entries.TryGetValue(key, out var old))
                Remove(old);
            _entries[key] = _byUse.AddFirst(new Entry(key, answer, time.GetUtcNow() + ttl, bytes));
            _bytes += bytes;
            while (_entries.Count > maxEntries || _bytes > maxBytes)
                Remove(_byUse.Last!);
        }
    }

    public void Clear()
    {
        lock (_lock)
        {
            _entries.Clear();
            _byUse.Clear();
            _bytes = 0;
        }
    }

    private void Remove(LinkedListNode<Entry> node)
    {
        _entries.Remove(node.Value.Key);
        _byUse.Remove(node);
        _bytes -= node.Value.Bytes;
    }

    private static long BytesOf(DnsKey key, DnsAnswer answer) =>
        EntryOverhead + ((key.Name.Length + answer.Name.Length + (answer.Detail?.Length ?? 0)) * sizeof(char)) + answer.Records.Sum(record => RecordOverhead + record switch
        {
            TxtRecord text => text.Text.Length,
            TlsaRecord tlsa => tlsa.Data.Length,
            MxRecord mx => Encoding.Unicode.GetByteCount(mx.Exchange),
            SrvRecord service => Encoding.Unicode.GetByteCount(service.Target),
            NameRecord name => Encoding.Unicode.GetByteCount(name.Name),
            _ => 0,
        });
}
