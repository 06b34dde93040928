using System.Buffers;
using System.Text;
using System.Text.Unicode;
using EventMail.Protocols.MailAuth;

namespace EventMail.Protocols.Smtp.Syntax;

/// <summary>
/// What clients call themselves in EHLO: a host name or an address literal, checked for its characters only, since RFC 5321 §4.1.4 forbids
/// to be strict here. Machines have names with underscores, "%" of an interface, letters beyond ASCII in any encoding.
/// </summary>
internal static class ClientNames
{
    /// <summary>Octets. RFC 5321 §4.5.3.1.2 asks for 255.</summary>
    public const int MaxLength = 255;

    // What stands in a field as it is: atext of RFC 5322, dots, and what literals have. None of it begins a comment, a quoted string or
    // another field.
    private static readonly SearchValues<char> Plain =
        SearchValues.Create("!#$%&'*+-./0123456789:=?ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_`abcdefghijklmnopqrstuvwxyz{|}~");

    /// <param name="given">As it was sent.</param>
    /// <returns>ASCII that is safe in header fields, logs and protocols: A-labels for letters beyond it, "?" for what is no name in UTF-8.
    /// Null for what is neither a name nor a literal.</returns>
    public static string? Read(ReadOnlySpan<byte> given)
    {
        if (given.Length is 0 or > MaxLength)
            return null;
        foreach (var octet in given)
        {
            if (octet < 0x80 && !Plain.Contains((char)octet))
                return null;
        }

        if (Ascii.IsValid(given))
            return Encoding.ASCII.GetString(given);
        // Preparing a name may make other ASCII of what looks like it.
        var name = Utf8.IsValid(given) ? DomainNames.ToAscii(Encoding.UTF8.GetString(given)) : Encoding.Latin1.GetString(given);
        return string.Create(name.Length, name, static (safe, source) =>
        {
            for (var i = 0; i < safe.Length; i++)
                safe[i] = Plain.Contains(source[i]) ? source[i] : '?';
        });
    }
}
