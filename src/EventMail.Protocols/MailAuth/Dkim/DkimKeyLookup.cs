using EventMail.Protocols.Dns;

namespace EventMail.Protocols.MailAuth.Dkim;

/// <summary>The key of a signature (RFC 6376 §6.1.2). One for a message: it asks for a name once.</summary>
internal sealed class DkimKeyLookup(IDnsSource dns, DkimLimits limits)
{
    private readonly Dictionary<string, Task<DnsAnswer>> _answers = new(StringComparer.Ordinal);

    /// <summary>Asks, without waiting for the answer.</summary>
    public void Begin(string selector, string domain, CancellationToken cancel) => _ = AnswerAsync(selector, domain, cancel);

    /// <summary>The key records that a signature may be verified with, or why there is none.</summary>
    /// <param name="identity">The domain of i=; null where there is no i=.</param>
    public async ValueTask<(IReadOnlyList<DkimKeyRecord> Records, DkimFault? Fault)> FindAsync(
        DkimAlgorithm algorithm, string selector, string domain, string? identity, CancellationToken cancel)
    {
        var answer = await AnswerAsync(selector, domain, cancel).ConfigureAwait(false);
        if (answer.Status == DnsStatus.Failed)
            return ([], new(DkimVerdict.TempError, "key unavailable"));
        DkimFault? fault = null;
        var records = new List<DkimKeyRecord>();
        foreach (var text in answer.Of<TxtRecord>().Take(limits.KeyRecords))
        {
            if (DkimKeyRecord.TryParse(text.Text, limits, out var record, out var why) && (why = Unfit(record, algorithm, domain, identity)) is null)
                records.Add(record);
            else
                fault ??= why;
        }
        return records.Count > 0 ? (records, null) : ([], fault ?? new(DkimVerdict.PermError, "no key for signature"));
    }

    // In the order of RFC 6376 §6.1.2.
    private static DkimFault? Unfit(DkimKeyRecord record, DkimAlgorithm algorithm, string domain, string? identity) =>
        !record.IsForMail ? new(DkimVerdict.PermError, "key not for mail")
        : !record.TakesSha256 ? new(DkimVerdict.PermError, "inappropriate hash algorithm")
        : record.PublicKey.Length == 0 ? new(DkimVerdict.PermError, "key revoked")
        : record.Algorithm != algorithm ? new(DkimVerdict.PermError, "inappropriate key algorithm")
        : record.IsStrict && identity is not null && identity != domain ? new(DkimVerdict.PermError, "the key allows no subdomain in i=")
        : null;

    private Task<DnsAnswer> AnswerAsync(string selector, string domain, CancellationToken cancel)
    {
        var name = DkimNames.KeyName(selector, domain)!;
        if (!_answers.TryGetValue(name, out var answer))
            _answers.Add(name, answer = dns.QueryAsync(name, DnsType.Txt, cancel).AsTask());
        return answer;
    }
}
