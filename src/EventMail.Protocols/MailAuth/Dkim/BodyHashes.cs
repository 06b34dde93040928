namespace EventMail.Protocols.MailAuth.Dkim;

/// <summary>The body of a message is read once for all its signatures.</summary>
internal static class BodyHashes
{
    public static async ValueTask CheckAsync(
        IReadOnlyList<DkimVerification> signatures, IAsyncEnumerable<ReadOnlyMemory<byte>> body, DkimLimits limits, CancellationToken cancel)
    {
        var hashers = new Dictionary<(Canonicalization, long?), BodyHasher>();
        try
        {
            foreach (var signature in signatures)
                Begin(signature, hashers, limits);
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
                if (signature.Open is { } wanted && hashes[(wanted.Body, wanted.Length)] is var (hash, total))
                    signature.CheckBody(hash, total, limits);
            }
        }
        finally
        {
            foreach (var hasher in hashers.Values)
                hasher.Dispose();
        }
    }

    private static void Begin(DkimVerification signature, Dictionary<(Canonicalization, long?), BodyHasher> hashers, DkimLimits limits)
    {
        if (signature.Open is not { } wanted || hashers.ContainsKey((wanted.Body, wanted.Length)))
            return;
        if (hashers.Count < limits.BodyHashes)
            hashers.Add((wanted.Body, wanted.Length), BodyHasher.Create(wanted.Body, wanted.Length));
        else
            signature.Refuse(DkimVerdict.Policy, "too many ways to hash the body");
    }
}
