using System.Diagnostics.CodeAnalysis;

namespace EventMail.Protocols.MailAuth.Dkim;

/// <summary>A public key as it stands in the DNS (RFC 6376 §3.6.1).</summary>
/// <param name="Algorithm">By k=; null for a type that is not known here.</param>
/// <param name="PublicKey">p=; empty when the key is revoked.</param>
/// <param name="TakesSha256">h= is absent or has it.</param>
/// <param name="IsForMail">s= is absent, or has "*" or "email".</param>
/// <param name="IsTesting">t=y</param>
/// <param name="IsStrict">t=s: the domain of i= must be d= itself.</param>
internal sealed record DkimKeyRecord(
    DkimAlgorithm? Algorithm, byte[] PublicKey, bool TakesSha256, bool IsForMail, bool IsTesting, bool IsStrict)
{
    public static bool TryParse(
        ReadOnlyMemory<byte> text, DkimLimits limits, [NotNullWhen(true)] out DkimKeyRecord? record, [NotNullWhen(false)] out DkimFault? fault)
    {
        record = null;
        fault = text.Length > limits.KeyRecordOctets ? Bad("key record too long")
            : !TagList.TryParse(text, limits.Tags, out var tags, out var why) ? Bad($"key syntax error: {why}")
            // "This tag MUST be the first tag in the record. Records beginning with a "v=" tag with any other value MUST be discarded."
            : tags.Has("v") && (tags.First != "v" || tags.Text("v") != "DKIM1") ? Bad("key of another version")
            : !tags.Has("p") ? Bad("key syntax error: no p=")
            : tags.Base64("p") is not { } key ? Bad("key syntax error: p= is not base64")
            : Read(tags, key, out record);
        return record is not null;
    }

    private static DkimFault? Read(TagList tags, byte[] key, out DkimKeyRecord record)
    {
        DkimAlgorithm? algorithm = (tags.Text("k") ?? "rsa") switch
        {
            "rsa" => DkimAlgorithm.RsaSha256,
            "ed25519" => DkimAlgorithm.Ed25519Sha256,
            _ => null,
        };
        record = new(
            algorithm, key, Allows(tags, "h", "sha256"), Allows(tags, "s", "email") || Allows(tags, "s", "*"),
            tags.Items("t").Contains("y", StringComparer.Ordinal), tags.Items("t").Contains("s", StringComparer.Ordinal));
        return null;
    }

    private static bool Allows(TagList tags, string tag, string value) =>
        !tags.Has(tag) || tags.Items(tag).Contains(value, StringComparer.Ordinal);

    private static DkimFault Bad(string why) => new(DkimVerdict.PermError, why);
}
