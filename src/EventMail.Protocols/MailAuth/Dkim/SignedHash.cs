using System.Security.Cryptography;

namespace EventMail.Protocols.MailAuth.Dkim;

/// <summary>The hash that is signed (RFC 6376 §3.7, step 2): the fields of h=, then the field that signs, without its signature.</summary>
internal static class SignedHash
{
    /// <param name="names">h=, lower case.</param>
    /// <param name="except">The position of the field that signs when it is in the header already; else negative.</param>
    /// <param name="signature">The field that signs, with its name.</param>
    /// <param name="value">Where in it the value of b= is.</param>
    public static byte[] Of(
        MessageHeader header, IReadOnlyList<string> names, Canonicalization method, int except, ReadOnlySpan<byte> signature, Range value)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var fields = new SignedFields(header, except);
        foreach (var name in names)
        {
            // RFC 6376 §3.5: a field that is not there is "treated as the null input".
            if (fields.Next(name) is { } field)
                HeaderCanonicalizer.AppendField(hash, header.Raw(field).Span, method);
        }
        HeaderCanonicalizer.AppendSignature(hash, signature, value, method);
        return hash.GetHashAndReset();
    }
}
