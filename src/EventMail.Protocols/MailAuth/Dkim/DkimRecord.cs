using EventMail.Protocols.Dns;

namespace EventMail.Protocols.MailAuth.Dkim;

/// <summary>A key's record in the DNS (RFC 6376 §3.6), as its owner publishes it and as it is found there.</summary>
public sealed record DkimRecord(string Domain, string Selector, DkimAlgorithm Algorithm, byte[] PublicKey)
{
    /// <summary>RFC 1035 §3.3: one string of a TXT record has at most 255 octets.</summary>
    private const int LongestString = 255;

    /// <summary>Where it belongs, without a dot at the end.</summary>
    public string Name => $"{Selector}._domainkey.{Domain}";

    /// <summary>The whole text.</summary>
    public string Text => $"v=DKIM1; k={Algorithm.KeyType()}; p={Convert.ToBase64String(PublicKey)}";

    /// <summary>The text in the strings that a TXT record consists of; a reader puts them together without anything between.</summary>
    public IReadOnlyList<string> Strings => [.. Text.Chunk(LongestString).Select(part => new string(part))];

    /// <summary>A line of a zone file, as BIND and others read it.</summary>
    public string ZoneLine => $"{Name}. IN TXT ( {string.Join(' ', Strings.Select(text => $"\"{text}\""))} )";

    /// <summary>Looks whether the world can verify with it.</summary>
    /// <returns>What is wrong, for people; null when this key is there.</returns>
    public async ValueTask<string?> FaultAsync(IDnsSource dns, CancellationToken cancel)
    {
        var keys = new DkimKeyLookup(dns, DkimLimits.Default);
        var (records, fault) = await keys.FindAsync(Algorithm, Selector, Domain, identity: null, cancel).ConfigureAwait(false);
        return fault is { Verdict: DkimVerdict.TempError } ? $"{Name} cannot be asked for at the moment"
            : fault is not null ? $"{Name} has no usable TXT record: {fault.Reason}"
            : !records.Any(record => record.PublicKey.AsSpan().SequenceEqual(PublicKey)) ? $"{Name} has another key"
            : records.Count > 1 ? $"{Name} has {records.Count} keys: which one counts is undefined (RFC 6376 section 3.6.2.2)"
            : null;
    }
}
