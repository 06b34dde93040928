using System.Buffers;

namespace EventMail.Domain.Messages;

/// <summary>The values of the FETCH items ENVELOPE, BODY and BODYSTRUCTURE (RFC 3501 §7.4.2, RFC 9051 §7.5.2), ready to send.</summary>
public static class ImapStructure
{
    private static ReadOnlySpan<byte> NilEnvelope => "(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)"u8;

    /// <summary>A multipart needs at least one body: the empty one stands for none.</summary>
    private static ReadOnlySpan<byte> EmptyBody => "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 0 0"u8;

    public static void WriteEnvelope(IBufferWriter<byte> output, Message message) => WriteEnvelope(output, message.Root);

    public static void WriteEnvelope(IBufferWriter<byte> output, MessagePart message)
    {
        var wire = new ImapWire(output, message.Owner.Limits);
        WriteEnvelope(ref wire, message);
        wire.Flush();
    }

    /// <param name="output">Gets the parenthesised body.</param>
    /// <param name="part">Any part; the root for FETCH.</param>
    /// <param name="extensible">BODYSTRUCTURE, with extension data; else BODY.</param>
    public static void WriteBodyStructure(IBufferWriter<byte> output, MessagePart part, bool extensible)
    {
        var wire = new ImapWire(output, part.Owner.Limits);
        WriteBody(ref wire, part, extensible);
        wire.Flush();
    }

    private static void WriteEnvelope(ref ImapWire wire, MessagePart message)
    {
        // Not the part's own, which it would keep: no more is read than may be named.
        var envelope = new Envelope(message, wire.AddressesLeft);
        wire.Byte((byte)'(');
        wire.Unfolded(envelope.Date);
        wire.Space();
        wire.Collapsed(envelope.Subject);
        wire.Space();
        WriteAddresses(ref wire, envelope.From);
        wire.Space();
        WriteAddresses(ref wire, envelope.Sender);
        wire.Space();
        WriteAddresses(ref wire, envelope.ReplyTo);
        wire.Space();
        WriteAddresses(ref wire, envelope.To);
        wire.Space();
        WriteAddresses(ref wire, envelope.Cc);
        wire.Space();
        WriteAddresses(ref wire, envelope.Bcc);
        wire.Space();
        wire.Unfolded(envelope.InReplyTo);
        wire.Space();
        wire.Unfolded(envelope.MessageId);
        wire.Byte((byte)')');
    }

    private static void WriteAddresses(ref ImapWire wire, IReadOnlyList<Address> addresses)
    {
        if (addresses.Count == 0 || wire.AddressesLeft == 0)
        {
            wire.Nil();
            return;
        }
        wire.Byte((byte)'(');
        var inGroup = false;
        for (var i = 0; i < addresses.Count; i++)
        {
            if (!wire.TryTakeAddress())
            {
                if (inGroup)
                    WriteAddress(ref wire, default);
                break;
            }
            var address = addresses[i];
            if (address.Host.IsNil)
                inGroup = !address.Mailbox.IsNil;
            WriteAddress(ref wire, address);
        }
        wire.Byte((byte)')');
    }

    private static void WriteAddress(ref ImapWire wire, in Address address)
    {
        wire.Byte((byte)'(');
        wire.Collapsed(address.Name);
        wire.Space();
        wire.NString(address.Route);
        wire.Space();
        wire.NString(address.Mailbox);
        wire.Space();
        wire.NString(address.Host);
        wire.Byte((byte)')');
    }

    private static void WriteBody(ref ImapWire wire, MessagePart part, bool extensible)
    {
        wire.Byte((byte)'(');
        if (part.Kind == PartKind.Multipart)
            WriteMultipart(ref wire, part, extensible);
        else
            WriteSinglePart(ref wire, part, extensible);
        wire.Byte((byte)')');
    }

    private static void WriteMultipart(ref ImapWire wire, MessagePart part, bool extensible)
    {
        foreach (var child in part.Parts)
            WriteBody(ref wire, child, extensible);
        if (part.Parts.Count == 0)
            WriteEmptyBody(ref wire, extensible);
        wire.Space();
        wire.String(part.Subtype);
        if (!extensible)
            return;
        wire.Space();
        WriteParameters(ref wire, part.Parameters, defaultCharset: false);
        WriteDispositionLanguageLocation(ref wire, part);
    }

    private static void WriteEmptyBody(ref ImapWire wire, bool extensible)
    {
        wire.Raw(EmptyBody);
        if (extensible)
            wire.Raw(" NIL NIL NIL NIL"u8);
        wire.Byte((byte)')');
    }

    private static void WriteSinglePart(ref ImapWire wire, MessagePart part, bool extensible)
    {
        if (part.IsOpaque)
        {
            wire.Raw("\"application\" \"octet-stream\""u8);
        }
        else if (part.Kind == PartKind.Message)
        {
            // Two words of the grammar here (RFC 9051 §9: media-message), whatever the sender's case.
            wire.Raw(part.IsGlobal ? "\"message\" \"global\""u8 : "\"message\" \"rfc822\""u8);
        }
        else
        {
            wire.String(part.MediaType);
            wire.Space();
            wire.String(part.Subtype);
        }
        wire.Space();
        WriteParameters(ref wire, part.Parameters, defaultCharset: part.Kind == PartKind.Text);
        wire.Space();
        wire.Unfolded(part.ContentId);
        wire.Space();
        wire.Unfolded(part.Description);
        wire.Space();
        var encoding = part.TransferEncodingName;
        if (encoding.IsNil)
            wire.Raw("\"7bit\""u8);
        else
            wire.String(encoding.Span);
        wire.Space();
        wire.Number(part.BodyLength);

        if (part.Kind == PartKind.Message)
        {
            wire.Space();
            WriteEmbedded(ref wire, part.EmbeddedMessage, extensible);
        }
        if (part.Kind is PartKind.Text or PartKind.Message)
        {
            wire.Space();
            wire.Number(part.BodyLines);
        }
        if (!extensible)
            return;
        wire.Space();
        wire.Unfolded(part.Md5);
        WriteDispositionLanguageLocation(ref wire, part);
    }

    // RFC 9051 §9: body-type-msg has an envelope and a body also where there is nothing to describe.
    private static void WriteEmbedded(ref ImapWire wire, MessagePart? message, bool extensible)
    {
        if (message is null)
        {
            wire.Raw(NilEnvelope);
            wire.Space();
            WriteEmptyBody(ref wire, extensible);
            return;
        }
        WriteEnvelope(ref wire, message);
        wire.Space();
        WriteBody(ref wire, message, extensible);
    }

    private static void WriteParameters(ref ImapWire wire, IReadOnlyList<Parameter> raw, bool defaultCharset)
    {
        var parameters = Rfc2231.Join(raw);
        if (parameters.Count == 0 && !defaultCharset)
        {
            wire.Nil();
            return;
        }
        wire.Byte((byte)'(');
        var hasCharset = false;
        for (var i = 0; i < parameters.Count; i++)
        {
            if (i > 0)
                wire.Space();
            hasCharset |= Ascii.EqualsIgnoreCase(parameters[i].Name.Span, "charset"u8);
            wire.String(parameters[i].Name.Span);
            wire.Space();
            wire.String(parameters[i].Value.Span);
        }
        if (defaultCharset && !hasCharset)
        {
            if (parameters.Count > 0)
                wire.Space();
            // RFC 2045 §5.2: what text without a charset is.
            wire.Raw("\"charset\" \"us-ascii\""u8);
        }
        wire.Byte((byte)')');
    }

    private static void WriteDispositionLanguageLocation(ref ImapWire wire, MessagePart part)
    {
        wire.Space();
        var disposition = part.Disposition;
        if (disposition.IsNil)
        {
            wire.Nil();
        }
        else
        {
            wire.Byte((byte)'(');
            wire.String(disposition.Span);
            wire.Space();
            WriteParameters(ref wire, part.DispositionParameters, defaultCharset: false);
            wire.Byte((byte)')');
        }
        wire.Space();
        WriteLanguage(ref wire, part.Language);
        wire.Space();
        wire.Unfolded(part.Location);
    }

    private static void WriteLanguage(ref ImapWire wire, IReadOnlyList<Octets> tags)
    {
        if (tags.Count == 0)
        {
            wire.Nil();
            return;
        }
        wire.Byte((byte)'(');
        for (var i = 0; i < tags.Count; i++)
        {
            if (i > 0)
                wire.Space();
            wire.String(tags[i].Span);
        }
        wire.Byte((byte)')');
    }
}
