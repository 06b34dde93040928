using System.Text;

namespace EventMail.Protocols.Pop3.Commands;

/// <summary>The name in USER and APOP: UTF-8 (RFC 6856 §2.2) without control characters.</summary>
internal static class UserName
{
    public static bool TryRead(ReadOnlySpan<byte> octets, out string name)
    {
        var trimmed = octets.Trim((byte)' ');
        name = "";
        if (trimmed.IsEmpty || !System.Text.Unicode.Utf8.IsValid(trimmed))
        {
            return false;
        }

        name = Encoding.UTF8.GetString(trimmed);
        return !name.AsSpan().ContainsAnyInRange('\0', '\x1f') && !name.AsSpan().ContainsAnyInRange('\x7f', '\x9f');
    }
}
