using System.Buffers;
using System.Text;
using EventMail.Projections.Metadata;
using EventMail.Protocols.Imap.Responses;

namespace EventMail.Protocols.Imap.Annotations;

/// <summary>"* METADATA" (RFC 5464 §4.4).</summary>
internal static class MetadataResponse
{
    private static readonly SearchValues<char> PlainEntry =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_./+:@");

    /// <summary>§4.4.1: entries with their values; null is NIL.</summary>
    public static void Write(ImapWriter writer, string mailbox, IReadOnlyList<(string Entry, byte[]? Value)> values)
    {
        Begin(writer, mailbox);
        for (var i = 0; i < values.Count; i++)
        {
            writer.Byte(i == 0 ? (byte)'(' : (byte)' ');
            WriteEntry(writer, values[i].Entry);
            writer.Sp();
            WriteValue(writer, values[i].Value);
        }

        writer.Raw(")\r\n"u8);
    }

    /// <summary>§4.4.2: entries that have changed, without their values.</summary>
    public static void WriteChanged(ImapWriter writer, string mailbox, IEnumerable<string> entries)
    {
        Begin(writer, mailbox);
        var first = true;
        foreach (var entry in entries)
        {
            if (!first)
                writer.Sp();
            first = false;
            WriteEntry(writer, entry);
        }

        writer.Crlf();
    }

    private static void Begin(ImapWriter writer, string mailbox)
    {
        writer.Raw("* METADATA "u8);
        writer.Mailbox(mailbox);
        writer.Sp();
    }

    private static void WriteEntry(ImapWriter writer, string entry)
    {
        if (entry.AsSpan().IndexOfAnyExcept(PlainEntry) < 0)
            writer.Ascii(entry);
        else
            writer.String(Encoding.ASCII.GetBytes(entry));
    }

    private static void WriteValue(ImapWriter writer, byte[]? value)
    {
        if (value is null)
        {
            writer.Raw("NIL"u8);
            return;
        }

        // Only a literal8 holds NULs.
        if (value.AsSpan().Contains((byte)0))
        {
            writer.Byte((byte)'~');
            writer.Literal(value);
            return;
        }

        writer.String(value);
    }
}
