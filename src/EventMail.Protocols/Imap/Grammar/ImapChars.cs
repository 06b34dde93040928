using System.Buffers;

namespace EventMail.Protocols.Imap.Grammar;

/// <summary>The character classes of RFC 3501 §9.</summary>
internal static class ImapChars
{
    // ATOM-CHAR = any CHAR except atom-specials: ( ) { SP CTL list-wildcards quoted-specials resp-specials
    private const string AtomSpecials = "(){ %*\"\\]";

    public static readonly SearchValues<byte> Atom = Except(AtomSpecials);

    // ASTRING-CHAR = ATOM-CHAR / resp-specials
    public static readonly SearchValues<byte> AString = Except("(){ %*\"\\");

    // list-char = ATOM-CHAR / list-wildcards / resp-specials
    public static readonly SearchValues<byte> List = Except("(){ \"\\");

    // tag = 1*<any ASTRING-CHAR except "+">
    public static readonly SearchValues<byte> Tag = Except("(){ %*\"\\+");

    public static readonly SearchValues<byte> Digits = SearchValues.Create("0123456789"u8);

    /// <summary>What cannot stand in a quoted string as it is: CR LF NUL, the two specials, and 8-bit (clients may not read it).</summary>
    public static readonly SearchValues<byte> NotPlainQuoted = SearchValues.Create(
        [0, (byte)'\r', (byte)'\n', (byte)'"', (byte)'\\', .. Enumerable.Range(128, 128).Select(b => (byte)b)]);

    private static SearchValues<byte> Except(string specials) => SearchValues.Create(
        Enumerable.Range(0x21, 0x7F - 0x21).Select(b => (byte)b).Where(b => !specials.Contains((char)b)).ToArray());
}
