using System.Globalization;

namespace EventMail.EventStore;

/// <summary>What a content's file may be called: its digest in hex, with its number behind it where it has a key of its own.</summary>
internal static class ContentFileNames
{
    private const int Digest = 64;

    public static IEnumerable<string> Of(ReadOnlySpan<byte> digest, long number) => [Encrypted(digest, number), Plain(digest)];

    public static string Plain(ReadOnlySpan<byte> digest) => Convert.ToHexStringLower(digest);

    /// <summary>Each writer of the same bytes has a key of its own, so an encrypted file has a name of its own.</summary>
    public static string Encrypted(ReadOnlySpan<byte> digest, long number) =>
        string.Create(CultureInfo.InvariantCulture, $"{Plain(digest)}-{number}");

    /// <summary>Where a file of that name belongs.</summary>
    public static string PathOf(string root, string name) => Path.Combine(root, name[..2], name[2..4], name);

    /// <summary>A name that cannot lead anywhere else.</summary>
    public static bool IsName(string name) =>
        name.Length >= Digest && name.AsSpan(0, Digest).IndexOfAnyExcept("0123456789abcdef") < 0
        && (name.Length == Digest || (name[Digest] == '-' && name.Length > Digest + 1 && name.AsSpan(Digest + 1).IndexOfAnyExceptInRange('0', '9') < 0));

    /// <summary>The digest of its octets, as far as the name tells it.</summary>
    public static string? DigestOf(string name) => name.Length == Digest ? name : null;
}
