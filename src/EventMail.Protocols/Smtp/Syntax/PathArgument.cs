using System.Text;

namespace EventMail.Protocols.Smtp.Syntax;

/// <summary>The "FROM:" and "TO:" in front of a path.</summary>
internal static class PathArgument
{
    /// <summary>
    /// False when the keyword is not there. Blanks behind the colon, which RFC 5321 §4.1.1.2 has not, are widely sent and passed over.
    /// </summary>
    public static bool TryTake(ReadOnlySpan<byte> arguments, ReadOnlySpan<byte> keyword, out ReadOnlySpan<byte> path)
    {
        arguments = arguments.TrimStart((byte)' ');
        path = default;
        if (arguments.Length < keyword.Length || !Ascii.EqualsIgnoreCase(arguments[..keyword.Length], keyword))
            return false;
        path = arguments[keyword.Length..].TrimStart((byte)' ');
        return path.StartsWith("<"u8);
    }
}
