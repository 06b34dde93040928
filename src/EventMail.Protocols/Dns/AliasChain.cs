namespace EventMail.Protocols.Dns;

/// <summary>
/// The way from the name asked for over CNAMEs to its records. Records of other names are never taken, whatever section they are in
/// (RFC 5452 §6, RFC 2181 §5.4.1).
/// </summary>
internal sealed class AliasChain(string name, DnsType type, int most)
{
    private readonly List<DnsRecord> _records = [];
    private int _aliases;

    /// <summary>Where it has led to.</summary>
    public string Name { get; private set; } = name;

    public IReadOnlyList<DnsRecord> Records => _records;

    /// <summary>The least of all on the way.</summary>
    public uint Ttl { get; private set; } = int.MaxValue;

    /// <summary>All answers on the way were.</summary>
    public bool IsAuthentic { get; private set; } = true;

    public bool IsTooLong => _aliases > most;

    public void Follow(DnsResponse response, bool trustAd)
    {
        IsAuthentic &= trustAd && response.IsAuthenticated;
        while (!IsTooLong)
        {
            string? alias = null;
            foreach (var record in response.Answers)
            {
                if (record.Owner != Name)
                    continue;
                if (record.Type == type)
                {
                    _records.Add(record.Data!);
                    Ttl = Math.Min(Ttl, record.Ttl);
                }
                else if (record.Type == DnsType.Cname && alias is null)
                {
                    alias = ((NameRecord)record.Data!).Name;
                    Ttl = Math.Min(Ttl, record.Ttl);
                }
            }
            if (_records.Count > 0 || alias is null)
                return;
            Name = alias;
            _aliases++;
        }
    }
}
