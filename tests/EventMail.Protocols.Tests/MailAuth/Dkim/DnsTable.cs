using System.Text;
using EventMail.Protocols.Dns;

namespace EventMail.Protocols.Tests.MailAuth.Dkim;

/// <summary>TXT records by name, and names that cannot be asked for.</summary>
internal sealed class DnsTable : IDnsSource
{
    private readonly Dictionary<string, List<byte[]>> _texts = new(StringComparer.OrdinalIgnoreCase);
    private readonly HashSet<string> _failing = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>How often it was asked.</summary>
    public int Questions { get; private set; }

    public DnsTable Txt(string name, params string[] texts)
    {
        if (!_texts.TryGetValue(name, out var all))
            _texts.Add(name, all = []);
        all.AddRange(texts.Select(Encoding.Latin1.GetBytes));
        return this;
    }

    public DnsTable Failing(string name)
    {
        _failing.Add(name);
        return this;
    }

    public ValueTask<DnsAnswer> QueryAsync(string name, DnsType type, CancellationToken cancel)
    {
        Questions++;
        return new(_failing.Contains(name) ? new DnsAnswer(DnsStatus.Failed, name, [], false, "SERVFAIL")
            : type == DnsType.Txt && _texts.TryGetValue(name, out var texts)
                ? new(DnsStatus.Found, name, [.. texts.Select(text => new TxtRecord(text))], false, null)
                : new(DnsStatus.NoName, name, [], false, null));
    }
}
