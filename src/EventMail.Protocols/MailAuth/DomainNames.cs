using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace EventMail.Protocols.MailAuth;

/// <summary>Rules for the domain names that the checks work with: A-labels, compared whatever their case.</summary>
internal static class DomainNames
{
    /// <summary>RFC 1035 §2.3.4, without the last dot.</summary>
    public const int MaxLength = 253;

    public const int MaxLabel = 63;

    /// <summary>Without its last dot.</summary>
    public static string Plain(string name) => name.EndsWith('.') ? name[..^1] : name;

    /// <summary>Can stand in a question: no empty label, none too long.</summary>
    public static bool IsAskable(string name)
    {
        name = Plain(name);
        if (name.Length is 0 or > MaxLength || !Ascii.IsValid(name))
            return false;
        foreach (var label in name.AsSpan().Split('.'))
        {
            if (label.End.Value - label.Start.Value is 0 or > MaxLabel)
                return false;
        }
        return true;
    }

    /// <summary>A name of several labels, no address literal (RFC 7208 §4.3).</summary>
    public static bool IsQualified(string name) => IsAskable(name) && name[0] != '[' && Plain(name).Contains('.');

    /// <summary>A name as hosts have it: letters, digits, hyphens, and the underscore that some use.</summary>
    public static bool IsHostName(string name) => IsAskable(name) && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.');

    /// <summary>In lower-case A-labels; as it is where it has none.</summary>
    public static string ToAscii(string name)
    {
        if (Ascii.IsValid(name))
            return name.ToLowerInvariant();
        try
        {
            return new IdnMapping().GetAscii(name).ToLowerInvariant();
        }
        catch (ArgumentException)
        {
            return name;
        }
    }

    /// <summary>The same name or one below it.</summary>
    public static bool IsWithin(string name, string domain)
    {
        (name, domain) = (Plain(name), Plain(domain));
        return name.Equals(domain, StringComparison.OrdinalIgnoreCase)
            || (name.EndsWith(domain, StringComparison.OrdinalIgnoreCase) && name.Length > domain.Length && name[^(domain.Length + 1)] == '.');
    }

    /// <summary>Labels at the left are dropped until the name fits (RFC 7208 §7.3).</summary>
    public static string Shorten(string name)
    {
        name = Plain(name);
        var excess = name.Length - MaxLength;
        // The first label that begins where what is left fits; without any, the last one, which is too long for every question.
        return excess <= 0 ? name
            : name.IndexOf('.', excess - 1) is var dot and >= 0 ? name[(dot + 1)..]
            : name[(name.LastIndexOf('.') + 1)..];
    }

    /// <summary>As a question writes it (RFC 1035 §5.1): what a macro put into a label is no escape.</summary>
    public static string Escaped(string name) =>
        name.Replace(@"\", @"\\", StringComparison.Ordinal).Replace(" ", @"\032", StringComparison.Ordinal);

    /// <summary>The address with dots: bytes of IPv4, nibbles of IPv6 (RFC 7208 §7.3, the letter i).</summary>
    public static string Dotted(IPAddress address) => address.AddressFamily == AddressFamily.InterNetwork
        ? address.ToString()
        : string.Join('.', Convert.ToHexStringLower(address.GetAddressBytes()).AsEnumerable());
}
