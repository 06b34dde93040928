using System.Buffers;
using System.Text;
using System.Text.Unicode;

namespace EventMail.Domain.Messages;

/// <summary>
/// The header of an internationalized message (RFC 6532) for a client that knows nothing of UTF-8 (RFC 6858). Only the message's own
/// header is looked at, and only fields whose bodies are UTF-8 and not ASCII: other octets above 127 are no internationalized mail,
/// and stay. No input makes it throw; time is linear.
/// </summary>
public static class SurrogateHeader
{
    private const int MaxAddresses = 10_000;
    private const int MaxParameters = 1_000;

    private enum Treatment
    {
        /// <summary>RFC 6858 §2.4</summary>
        Remove,

        /// <summary>RFC 6858 §2.1</summary>
        Addresses,

        /// <summary>RFC 6858 §2.3</summary>
        EncodedWords,

        /// <summary>RFC 6858 §2.2</summary>
        Parameters,
    }

    private static readonly (string Name, Treatment Treatment)[] Treatments =
    [
        ("From", Treatment.Addresses),
        ("Sender", Treatment.Addresses),
        ("Reply-To", Treatment.Addresses),
        ("To", Treatment.Addresses),
        ("Cc", Treatment.Addresses),
        ("Bcc", Treatment.Addresses),
        ("Return-Path", Treatment.Addresses),
        ("Resent-From", Treatment.Addresses),
        ("Resent-Sender", Treatment.Addresses),
        ("Resent-To", Treatment.Addresses),
        ("Resent-Cc", Treatment.Addresses),
        ("Resent-Bcc", Treatment.Addresses),
        ("Subject", Treatment.EncodedWords),
        ("Comments", Treatment.EncodedWords),
        ("Content-Description", Treatment.EncodedWords),
        ("Content-Type", Treatment.Parameters),
        ("Content-Disposition", Treatment.Parameters),
    ];

    /// <summary>The client must know UTF-8 to be given this header as it is.</summary>
    /// <param name="header">With or without its blank line.</param>
    public static bool IsNeeded(ReadOnlySpan<byte> header)
    {
        if (System.Text.Ascii.IsValid(header))
            return false;
        for (var at = 0; HeaderFields.TryNext(header, ref at, out var field);)
        {
            if (IsInternationalized(field, out _))
                return true;
        }
        return false;
    }

    /// <summary>Writes the surrogate, with the blank line if the header has it; the header itself where none is needed.</summary>
    public static void Write(ReadOnlySpan<byte> header, IBufferWriter<byte> output)
    {
        var at = 0;
        while (HeaderFields.TryNext(header, ref at, out var field))
        {
            if (IsInternationalized(field, out var colon))
                WriteField(field, colon, output);
            else
                output.Write(field);
        }
        output.Write(header[at..]);
    }

    private static bool IsInternationalized(ReadOnlySpan<byte> field, out int colon)
    {
        colon = field.IndexOf((byte)':');
        return colon > 0 && !field[..colon].TrimEnd(" \t"u8).ContainsAnyExceptInRange((byte)'!', (byte)'~')
            && !System.Text.Ascii.IsValid(field) && Utf8.IsValid(field);
    }

    private static void WriteField(ReadOnlySpan<byte> field, int colon, IBufferWriter<byte> output)
    {
        var name = field[..colon].TrimEnd(" \t"u8);
        var body = field[(colon + 1)..].Trim(" \t\r\n"u8);
        var treatment = TreatmentOf(name);
        if (treatment == Treatment.Remove)
            return;
        var line = new FoldedLine(output);
        line.Start(name);
        switch (treatment)
        {
            case Treatment.Addresses:
                SurrogateAddresses.Write(body.ToArray(), MaxAddresses, ref line);
                break;
            case Treatment.Parameters:
                SurrogateParameters.Write(body.ToArray(), MaxParameters, ref line);
                break;
            default:
                line.EncodedWords(EncodedWords.Decode(body));
                break;
        }
        line.End();
    }

    private static Treatment TreatmentOf(ReadOnlySpan<byte> name)
    {
        foreach (var (known, treatment) in Treatments)
        {
            if (known.Length == name.Length && System.Text.Ascii.EqualsIgnoreCase(name, known))
                return treatment;
        }
        return Treatment.Remove;
    }
}
