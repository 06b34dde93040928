using System.Net.Sockets;
using EventMail.Protocols.Smtp;
using EventMail.Protocols.Smtp.Reception;
using EventMail.Protocols.Smtp.Syntax;

namespace EventMail.Protocols.Filters.Milter;

/// <summary>
/// One transaction told to one milter, step by step as it was agreed: how it begins, its recipients one by one, the message once it is whole.
/// </summary>
/// <param name="clientName">The name that leads back to the client; null where there is none.</param>
internal sealed class MilterDialogue(MilterChannel channel, SmtpEnvelope envelope, string? clientName)
{
    // A piece of a body (MILTER_CHUNK_SIZE), and what libmilter reads of any packet (MILTER_MAX_DATA_SIZE).
    private const int MaxPiece = 65_535;

    private bool _skip;
    private bool _skipsRecipients;

    private MilterWire Wire => channel.Wire;

    /// <summary>Up to the sender.</summary>
    /// <returns>The last word about the transaction; null: go on.</returns>
    public async ValueTask<MilterOutcome?> BeginAsync()
    {
        await channel.NegotiateAsync().ConfigureAwait(false);
        return await ConnectAsync().ConfigureAwait(false)
            ?? await HeloAsync().ConfigureAwait(false)
            ?? await MailAsync().ConfigureAwait(false);
    }

    /// <returns>A refusal of this recipient, or the last word about the transaction; null: go on.</returns>
    public async ValueTask<MilterOutcome?> RecipientAsync(AcceptedRecipient recipient)
    {
        if (_skipsRecipients || channel.Has(MilterSteps.NoRcpt))
            return null;
        MilterMacros.Write(Wire, MilterCommand.Rcpt, envelope, recipient: recipient);
        Wire.Begin(MilterCommand.Rcpt);
        Wire.Text($"<{recipient.Address}>");
        Wire.End();
        var outcome = await AnswerAsync(MilterSteps.NoReplyToRcpt).ConfigureAwait(false);
        _skipsRecipients = Skipped();
        return outcome;
    }

    /// <param name="changes">Gets what the milter wants changed.</param>
    public async ValueTask<MilterOutcome> MessageAsync(ReceivedMessage message, MilterChanges changes) =>
        await SimpleAsync(MilterCommand.Data, MilterSteps.NoData, MilterSteps.NoReplyToData).ConfigureAwait(false)
        ?? await HeadersAsync(message).ConfigureAwait(false)
        ?? await SimpleAsync(MilterCommand.EndOfHeaders, MilterSteps.NoEndOfHeaders, MilterSteps.NoReplyToEndOfHeaders).ConfigureAwait(false)
        ?? await BodyAsync(message).ConfigureAwait(false)
        ?? await EndAsync(changes).ConfigureAwait(false);

    public async ValueTask QuitAsync()
    {
        Wire.Begin(MilterCommand.Quit);
        Wire.End();
        await Wire.FlushAsync(channel.Soon()).ConfigureAwait(false);
    }

    private ValueTask<MilterOutcome?> ConnectAsync()
    {
        // Macros of steps that are left out are told all the same: milters keep them.
        MilterMacros.Write(Wire, MilterCommand.Connect, envelope, clientName);
        if (channel.Has(MilterSteps.NoConnect))
            return default;
        var client = envelope.Client;
        Wire.Begin(MilterCommand.Connect);
        Wire.Text(MilterMacros.ClientName(envelope, clientName));
        Wire.Octet((byte)(client.AddressFamily == AddressFamily.InterNetworkV6 ? '6' : '4'));
        Wire.Short((ushort)client.Port);
        Wire.Text(client.Address.ToString());
        Wire.End();
        return AnswerAsync(MilterSteps.NoReplyToConnect);
    }

    private ValueTask<MilterOutcome?> HeloAsync()
    {
        MilterMacros.Write(Wire, MilterCommand.Helo, envelope);
        if (channel.Has(MilterSteps.NoHelo))
            return default;
        Wire.Begin(MilterCommand.Helo);
        Wire.Text(envelope.ClientName);
        Wire.End();
        return AnswerAsync(MilterSteps.NoReplyToHelo);
    }

    private ValueTask<MilterOutcome?> MailAsync()
    {
        MilterMacros.Write(Wire, MilterCommand.Mail, envelope);
        if (channel.Has(MilterSteps.NoMail))
            return default;
        Wire.Begin(MilterCommand.Mail);
        Wire.Text($"<{envelope.ReversePath.Mailbox}>");
        if (envelope.Parameters.Size > 0)
            Wire.Text(string.Create(null, $"SIZE={envelope.Parameters.Size}"));
        if (envelope.Parameters.Body != BodyType.SevenBit)
            Wire.Text(envelope.Parameters.Body == BodyType.EightBitMime ? "BODY=8BITMIME" : "BODY=BINARYMIME");
        if (envelope.Parameters.SmtpUtf8)
            Wire.Text("SMTPUTF8");
        Wire.End();
        return AnswerAsync(MilterSteps.NoReplyToMail);
    }

    private async ValueTask<MilterOutcome?> HeadersAsync(ReceivedMessage message)
    {
        if (channel.Has(MilterSteps.NoHeaders))
            return null;
        foreach (var field in new EditableHeader(message).Fields)
        {
            if (!WriteField(field.Span))
                continue;
            if (await AnswerAsync(MilterSteps.NoReplyToHeader).ConfigureAwait(false) is { } outcome)
                return outcome;
            if (Skipped())
                break;
        }
        return null;
    }

    private async ValueTask<MilterOutcome?> BodyAsync(ReceivedMessage message)
    {
        if (channel.Has(MilterSteps.NoBody))
            return null;
        await foreach (var whole in message.EditedBodyAsync(channel.Soon()).ConfigureAwait(false))
        {
            for (var rest = whole; !rest.IsEmpty;)
            {
                var piece = rest[..Math.Min(MaxPiece, rest.Length)];
                rest = rest[piece.Length..];
                await Wire.SendAsync(MilterCommand.Body, piece, channel.Soon()).ConfigureAwait(false);
                if (await AnswerAsync(MilterSteps.NoReplyToBody).ConfigureAwait(false) is { } outcome)
                    return outcome;
                if (Skipped())
                    return null;
            }
        }
        return null;
    }

    private async ValueTask<MilterOutcome?> SimpleAsync(MilterCommand command, MilterSteps omitted, MilterSteps silent)
    {
        if (channel.Has(omitted))
            return null;
        MilterMacros.Write(Wire, command, envelope);
        Wire.Begin(command);
        Wire.End();
        return await AnswerAsync(silent).ConfigureAwait(false);
    }

    private async ValueTask<MilterOutcome> EndAsync(MilterChanges changes)
    {
        MilterMacros.Write(Wire, MilterCommand.EndOfMessage, envelope);
        Wire.Begin(MilterCommand.EndOfMessage);
        Wire.End();
        while (true)
        {
            var packet = await channel.NextAsync().ConfigureAwait(false);
            if (packet.Reply == MilterReply.Continue)
                return MilterOutcome.Accepted;
            if (MilterOutcome.Of(packet) is { } outcome)
                return outcome;
            if (!await changes.TakeAsync(packet, channel.Soon()).ConfigureAwait(false))
                throw Unexpected(packet);
        }
    }

    // Null: go on.
    private async ValueTask<MilterOutcome?> AnswerAsync(MilterSteps silent)
    {
        if (channel.Has(silent))
        {
            if (Wire.IsFull)
                await Wire.FlushAsync(channel.Soon()).ConfigureAwait(false);
            return null;
        }
        var packet = await channel.AskAsync().ConfigureAwait(false);
        if (packet.Reply == MilterReply.Continue)
            return null;
        if (packet.Reply == MilterReply.Skip && channel.Has(MilterSteps.Skip))
        {
            _skip = true;
            return null;
        }
        return MilterOutcome.Of(packet) ?? throw Unexpected(packet);
    }

    private bool Skipped()
    {
        var skip = _skip;
        _skip = false;
        return skip;
    }

    // Lines within a value end in LF; with LEADSPC it begins right behind the colon. False for a line that is no field.
    private bool WriteField(ReadOnlySpan<byte> field)
    {
        var name = EditableHeader.NameOf(field);
        if (name.IsEmpty)
            return false;
        var value = field[(field.IndexOf((byte)':') + 1)..].TrimEnd("\r\n"u8);
        if (!channel.Has(MilterSteps.LeadingSpace) && value is [(byte)' ' or (byte)'\t', ..])
            value = value[1..];
        // A milter that is sent more hangs up: it sees where the field begins. Two texts end in NUL.
        if (name.Length + value.Length + 2 > MaxPiece)
        {
            name = name[..Math.Min(name.Length, MaxPiece - 2)];
            value = value[..(MaxPiece - 2 - name.Length)];
        }
        Wire.Begin(MilterCommand.Header);
        Wire.Text(name);
        for (int end; (end = value.IndexOf("\r\n"u8)) >= 0; value = value[(end + 2)..])
        {
            Wire.Octets(value[..end]);
            Wire.Octet((byte)'\n');
        }
        Wire.Text(value);
        Wire.End();
        return true;
    }

    private static InvalidDataException Unexpected(MilterPacket packet) => new($"it answers 0x{(byte)packet.Reply:x2}, which is none here");
}
