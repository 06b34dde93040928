using System.Text;

namespace EventMail.Domain.Messages;

/// <summary>RFC 6858 §2.1: an address that ASCII cannot write becomes the display name of one that is nobody's.</summary>
internal static class SurrogateAddresses
{
    private static readonly byte[] Nobody = "<invalid@internationalized-address.invalid>"u8.ToArray();

    public static void Write(byte[] body, int maxAddresses, ref FoldedLine line)
    {
        var addresses = new List<Address>();
        AddressList.Read(new Octets(body), addresses, maxAddresses);
        var afterAddress = false;
        foreach (var address in addresses)
        {
            if (address.IsGroupEnd)
            {
                line.Glue(";"u8);
                afterAddress = true;
                continue;
            }
            if (afterAddress)
                line.Glue(","u8);
            if (address.IsGroupStart)
            {
                WritePhrase(address.Mailbox, ref line);
                line.Glue(":"u8);
                afterAddress = false;
                continue;
            }
            WriteAddress(address, ref line);
            afterAddress = true;
        }
        if (addresses.Count == 0)
            line.Word(Nobody);
    }

    private static void WriteAddress(Address address, ref FoldedLine line)
    {
        if (IsWritable(address))
        {
            if (!address.Name.IsNil)
                WritePhrase(address.Name, ref line);
            line.Word([.. "<"u8, .. LocalPart(address.Mailbox.Span), .. "@"u8, .. address.Host.Span, .. ">"u8]);
            return;
        }
        var original = $"{address.Mailbox}@{address.Host}";
        line.EncodedWords(address.Name.IsNil ? original : $"{EncodedWords.Decode(address.Name.Span)} <{original}>");
        line.Word(Nobody);
    }

    private static bool IsWritable(Address address) =>
        System.Text.Ascii.IsValid(address.Mailbox.Span) && System.Text.Ascii.IsValid(address.Host.Span)
        && !address.Mailbox.Span.SequenceEqual(Address.MissingMailbox.Span) && !address.Host.Span.SequenceEqual(Address.MissingDomain.Span)
        && !address.Host.Span.SequenceEqual(Address.SyntaxError.Span);

    // What ASCII can say in atoms stays, encoded words of the sender among it; all else is encoded.
    private static void WritePhrase(Octets phrase, ref FoldedLine line)
    {
        foreach (var b in phrase.Span)
        {
            if (b != ' ' && (b > 0x7E || !Ascii.IsAtext(b)))
            {
                line.EncodedWords(EncodedWords.Decode(phrase.Span));
                return;
            }
        }
        foreach (var word in Encoding.ASCII.GetString(phrase.Span).Split(' ', StringSplitOptions.RemoveEmptyEntries))
            line.Word(Encoding.ASCII.GetBytes(word));
    }

    private static byte[] LocalPart(ReadOnlySpan<byte> text)
    {
        var isDotAtom = !text.IsEmpty;
        foreach (var b in text)
            isDotAtom &= b == '.' || Ascii.IsAtext(b);
        return isDotAtom ? text.ToArray() : Quoted(text);
    }

    internal static byte[] Quoted(ReadOnlySpan<byte> text)
    {
        var quoted = new List<byte>(text.Length + 2) { (byte)'"' };
        foreach (var b in text)
        {
            if (b is (byte)'"' or (byte)'\\')
                quoted.Add((byte)'\\');
            // Line ends and NUL have no place in a quoted string.
            quoted.Add(b is < 0x20 or 0x7F ? (byte)' ' : b);
        }
        quoted.Add((byte)'"');
        return [.. quoted];
    }
}
