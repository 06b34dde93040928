using System.Buffers;
using System.Text;
using EventMail.Domain.Messages;

namespace EventMail.Domain.Tests.Messages;

/// <summary>What holds for every input, however broken.</summary>
internal static class Invariants
{
    public static void Check(byte[] bytes, MessageLimits? limits = null)
    {
        var message = MessageReader.Read(bytes, limits ?? MessageLimits.Default);
        message.Size.ShouldBe(bytes.Length);
        message.Root.HeaderOffset.ShouldBe(0);
        (message.Root.HeaderLength + message.Root.BodyLength).ShouldBe(bytes.Length);
        CheckPart(message.Root, bytes);
        CheckWire(Wire.Envelope(message));
        CheckWire(Wire.Body(message));
        CheckWire(Wire.Body(message, extensible: false));

        var map = PartMap.Read(PartMap.Write(message));
        CheckMap(map.Root, message.Root);
        DecodedText.ForEach(map, bytes, static (_, _) => true).ShouldBeTrue();
        _ = message.MessageId;
        _ = message.References;
        MessageDate.TryParse(message.Root.Envelope.Date.Span, out _);
        var selected = new ArrayBufferWriter<byte>();
        HeaderFields.Select(bytes, [Encoding.ASCII.GetBytes("From")], not: true, selected);
        selected.WrittenCount.ShouldBeLessThanOrEqualTo(bytes.Length);
    }

    /// <summary>All that a reader says about a message, for comparing.</summary>
    public static string Describe(Message message)
    {
        var text = new StringBuilder();
        Describe(text, message.Root, "0", 0);
        return text.Append("ENVELOPE ").Append(Visible(Wire.Envelope(message))).Append('\n')
            .Append("BODYSTRUCTURE ").Append(Visible(Wire.Body(message))).Append('\n').ToString();
    }

    private static void Describe(StringBuilder text, MessagePart part, string name, int indent)
    {
        text.Append(' ', indent).Append(name).Append(' ').Append(Visible(part.MediaType + "/" + part.Subtype));
        text.Append(part.IsOpaque ? " opaque" : "").Append(' ').Append(part.TransferEncoding);
        text.Append(part.Charset is { } charset ? " charset=" + Visible(charset) : "");
        text.Append($" header {part.HeaderOffset}+{part.HeaderLength} body {part.BodyOffset}+{part.BodyLength} lines {part.BodyLines}");
        text.Append($" fields {part.HeaderFields.Length}\n");
        for (var i = 0; i < part.Parts.Count; i++)
            Describe(text, part.Parts[i], name == "0" ? $"{i + 1}" : $"{name}.{i + 1}", indent + 2);
        if (part.EmbeddedMessage is { } inner)
            Describe(text, inner, name + " message", indent + 2);
    }

    private static string Visible(string latin1)
    {
        var text = new StringBuilder();
        foreach (var c in latin1)
            text.Append(c is >= ' ' and < '\x7f' ? c.ToString() : $"\\x{(int)c:x2}");
        return text.ToString();
    }

    private static void CheckPart(MessagePart part, byte[] bytes)
    {
        part.HeaderLength.ShouldBeGreaterThanOrEqualTo(0);
        part.BodyLength.ShouldBeGreaterThanOrEqualTo(0);
        var end = part.BodyOffset + part.BodyLength;
        end.ShouldBeLessThanOrEqualTo(bytes.Length);
        part.BodyLines.ShouldBe(bytes.AsSpan((int)part.BodyOffset, (int)part.BodyLength).Count((byte)'\n'));
        bytes.AsSpan((int)part.HeaderOffset, (int)part.HeaderLength).StartsWith(part.HeaderBytes).ShouldBeTrue();

        var at = part.HeaderOffset;
        foreach (var field in part.HeaderFields)
        {
            field.Offset.ShouldBeGreaterThanOrEqualTo(at);
            at = field.Offset + field.Length;
            at.ShouldBeLessThanOrEqualTo(part.BodyOffset);
            field.NameLength.ShouldBeLessThanOrEqualTo(field.ValueStart);
            (field.ValueStart + field.ValueLength).ShouldBeLessThanOrEqualTo(field.Length);
        }
        IReadOnlyList<MessagePart> children = part.EmbeddedMessage is { } inner ? [inner] : part.Parts;
        at = part.BodyOffset;
        foreach (var child in children)
        {
            child.Parent.ShouldBe(part);
            child.HeaderOffset.ShouldBeGreaterThanOrEqualTo(at);
            at = child.BodyOffset + child.BodyLength;
            at.ShouldBeLessThanOrEqualTo(end);
            CheckPart(child, bytes);
        }
    }

    private static void CheckWire(string value)
    {
        value.ShouldNotContain("\0");
        ImapValue.Parse(value);
    }

    private static void CheckMap(PartMapNode node, MessagePart part)
    {
        (node.HeaderOffset, node.HeaderLength, node.BodyOffset, node.BodyLength, node.Kind, node.TransferEncoding)
            .ShouldBe((part.HeaderOffset, part.HeaderLength, part.BodyOffset, part.BodyLength, part.Kind, part.TransferEncoding));
        node.Parts.Count.ShouldBe(part.Parts.Count);
        for (var i = 0; i < node.Parts.Count; i++)
            CheckMap(node.Parts[i], part.Parts[i]);
        (node.EmbeddedMessage is null).ShouldBe(part.EmbeddedMessage is null);
        if (node.EmbeddedMessage is { } inner)
            CheckMap(inner, part.EmbeddedMessage!);
    }
}
