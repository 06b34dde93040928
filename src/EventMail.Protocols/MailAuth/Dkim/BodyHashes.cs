namespace EventMail.Protocols.MailAuth.Dkim;

/// <summary>The body of a message is read once for all its signatures, while their keys are asked for.</summary>
internal static class BodyHashes
{
    public static async ValueTask CheckAsync(
        IReadOnlyList<DkimVerification> signatures, DkimKeyLookup keys, IAsyncEnumerable<ReadOnlyMemory<byte>> body, DkimLimits limits,
        CancellationToken cancel)
    {
        var hashers = new Dictionary<(Canonicalization, long?), BodyHasher>();
        try
        {
            foreach (var signature in signatures)
            {
                if (!signature.IsOpen || signature.Signature is not { } wanted)
                    continue;
                keys.Begin(wanted.Selector, wanted.Domain, cancel);
                if (!hashers.ContainsKey((wanted.Body, wanted.Length)))
                    hashers.Add((wanted.Body, wanted.Length), BodyHasher.Create(wanted.Body, wanted.Length));
            }
            if (hashers.Count == 0)
                return;
            await foreach (var piece in body.WithCancellation(cancel).ConfigureAwait(false))
            {
                foreach (var hasher in hashers.Values)
                    hasher.Append(piece.Span);
            }
            var hashes = hashers.ToDictionary(pair => pair.Key, pair => (Hash: pair.Value.Finish(), pair.Value.Total));
            foreach (var signature in signatures)
            {
                if (signature.IsOpen && signature.Signature is { } wanted && hashes[(wanted.Body, wanted.Length)] is var (hash, total))
                    signature.CheckBody(hash, total, limits);
            }
        }
        finally
        {
            foreach (var hasher in hashers.Values)
                hasher.Dispose();
        }
    }
}
