using System.Buffers;
using System.Text;
using EventMail.Domain.Messages;

namespace EventMail.Domain.Tests.Messages;

/// <summary>Short forms for tests: text in Latin-1, line ends made CRLF.</summary>
internal static class Wire
{
    public static byte[] Bytes(string text) => Encoding.Latin1.GetBytes(text.ReplaceLineEndings("\r\n"));

    public static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text.ReplaceLineEndings("\r\n"));

    public static Message Read(string text) => MessageReader.Read(Bytes(text));

    public static string Envelope(Message message)
    {
        var output = new ArrayBufferWriter<byte>();
        ImapStructure.WriteEnvelope(output, message);
        return Encoding.Latin1.GetString(output.WrittenSpan);
    }

    public static string Body(Message message, bool extensible = true)
    {
        var output = new ArrayBufferWriter<byte>();
        ImapStructure.WriteBodyStructure(output, message.Root, extensible);
        return Encoding.Latin1.GetString(output.WrittenSpan);
    }

    public static string? Section(byte[] message, string section)
    {
        var words = section.Split('.', StringSplitOptions.RemoveEmptyEntries);
        var numbers = words.TakeWhile(w => char.IsDigit(w[0])).Select(int.Parse).ToArray();
        var kind = words.Skip(numbers.Length).SingleOrDefault() switch
        {
            null => SectionPart.Whole,
            "HEADER" => SectionPart.Header,
            "TEXT" => SectionPart.Text,
            "MIME" => SectionPart.Mime,
            var other => throw new ArgumentException(other),
        };
        var map = PartMap.Read(PartMap.Write(MessageReader.Read(message)));
        return map.TryLocate(numbers, kind, out var offset, out var length)
            ? Encoding.Latin1.GetString(message.AsSpan((int)offset, (int)length))
            : null;
    }
}
