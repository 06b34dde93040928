using EventMail.Domain.Accounts;

namespace EventMail.Protocols.MailAuth.Dkim;

/// <summary>The keys that sign for a domain at this moment; none when it is not to be signed for.</summary>
/// <param name="domain">Lower-case A-labels.</param>
public delegate ValueTask<IReadOnlyList<DkimSigningKey>> DkimKeySource(string domain, CancellationToken cancel);

/// <summary>
/// Signs messages (RFC 6376 §5) with each key of their domain: one by RSA, one by Ed25519 where it has both (RFC 8463 §3).
/// Header and body are canonicalized relaxed, all of the body is signed. Thread-safe.
/// </summary>
public sealed class DkimSigner(DkimKeySource keys)
{
    /// <param name="fromDomain">Of the address in From, as it stands there.</param>
    /// <param name="header">As it will be sent, to the empty line, with or without it; must not change meanwhile.</param>
    /// <param name="body">What follows the empty line, as it will be sent; not read when there is no key.</param>
    /// <returns>The fields with their CRLFs, to be put in front of the header; null when the domain has no key.</returns>
    public async ValueTask<byte[]?> SignAsync(
        string fromDomain, ReadOnlyMemory<byte> header, IAsyncEnumerable<ReadOnlyMemory<byte>> body, DateTimeOffset now, CancellationToken cancel)
    {
        if (!MailAddress.TryCanonicalDomain(fromDomain, out var domain))
            return null;
        var signing = await keys(domain, cancel).ConfigureAwait(false);
        if (signing.Count == 0)
            return null;
        var bodyHash = await HashAsync(body, cancel).ConfigureAwait(false);
        var fields = MessageHeader.Read(header, int.MaxValue)!;
        var names = SigningFields.Of(fields);
        using var signatures = new MemoryStream();
        foreach (var key in signing)
            signatures.Write(Sign(key, fields, names, bodyHash, now));
        return signatures.ToArray();
    }

    private static async ValueTask<byte[]> HashAsync(IAsyncEnumerable<ReadOnlyMemory<byte>> body, CancellationToken cancel)
    {
        using var hasher = BodyHasher.Create(Canonicalization.Relaxed, limit: null);
        await foreach (var piece in body.WithCancellation(cancel).ConfigureAwait(false))
            hasher.Append(piece.Span);
        return hasher.Finish();
    }

    private static byte[] Sign(DkimSigningKey key, MessageHeader header, IReadOnlyList<string> names, byte[] bodyHash, DateTimeOffset now)
    {
        var writer = new DkimFieldWriter()
            .Tag("v", "1").Tag("a", key.Algorithm.Name()).Tag("c", "relaxed/relaxed").Tag("d", key.Domain).Tag("s", key.Selector)
            .Tag("t", $"{now.ToUnixTimeSeconds()}").List("h", names).Tag("bh", Convert.ToBase64String(bodyHash)).Last("b");
        var hash = SignedHash.Of(header, names, Canonicalization.Relaxed, except: -1, writer.ToArray(), writer.Value..writer.Value);
        return [.. writer.Octets(key.Sign(hash)).ToArray(), .. "\r\n"u8];
    }
}
