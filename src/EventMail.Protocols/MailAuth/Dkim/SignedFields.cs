namespace EventMail.Protocols.MailAuth.Dkim;

/// <summary>
/// Which field a name in h= means: of several the lowest one that no earlier name took, and nothing when all are taken
/// (RFC 6376 §5.4.2).
/// </summary>
/// <param name="except">The field that signs: it is never in its own h= (RFC 6376 §3.7). Negative for none.</param>
internal sealed class SignedFields(MessageHeader header, int except)
{
    private readonly Dictionary<string, int> _taken = new(StringComparer.Ordinal);

    /// <param name="name">Lower case.</param>
    /// <returns>The position in the header; null for a field that is not there.</returns>
    public int? Next(string name)
    {
        var positions = header.Named(name);
        var taken = _taken.GetValueOrDefault(name);
        if (taken < positions.Count && positions[^(taken + 1)] == except)
            taken++;
        _taken[name] = taken + 1;
        return taken < positions.Count ? positions[^(taken + 1)] : null;
    }
}
