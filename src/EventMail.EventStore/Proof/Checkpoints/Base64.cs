namespace EventMail.EventStore.Proof;

/// <summary>Base64 as it is written, and in no other way: what is signed or hashed has one form.</summary>
internal static class Base64
{
    /// <summary>Null for anything else.</summary>
    public static byte[]? TryDecode(string text)
    {
        var octets = new byte[text.Length / 4 * 3];
        return Convert.TryFromBase64String(text, octets, out var count) && Convert.ToBase64String(octets.AsSpan(0, count)) == text
            ? octets[..count]
            : null;
    }
}
