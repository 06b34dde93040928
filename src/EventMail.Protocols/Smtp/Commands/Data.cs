using System.Buffers;
using EventMail.Protocols.Smtp.Data;
using EventMail.Protocols.Smtp.Syntax;
using EventMail.Protocols.Wire;

namespace EventMail.Protocols.Smtp.Commands;

/// <summary>DATA (RFC 5321 §4.1.1.4): the message up to CRLF.CRLF.</summary>
internal static class Data
{
    private static readonly ReadOnlyMemory<byte> CarriageReturn = "\r"u8.ToArray();

    public static async ValueTask<SmtpReply?> RunAsync(SmtpSession session)
    {
        var transaction = session.Transaction!;
        if (transaction.Recipients.Count == 0)
        {
            // RFC 2033 §4.2 asks for 503; RFC 5321 §3.3 has 554 for recipients that were all refused.
            return !transaction.RecipientSeen ? SmtpReplies.NeedRecipient
                : session.Role.NoValidRecipients;
        }

        if (transaction.Parameters.Body == BodyType.BinaryMime)
            return SmtpReplies.BinaryNeedsBdat;

        await using var intake = MessageIntake.Begin(session, transaction);
        session.Send(SmtpReplies.StartMailInput);
        if (!await session.Connection.FlushAsync())
        {
            session.End();
            return null;
        }

        var interrupted = await ReceiveAsync(session, intake);
        if (interrupted is not null || session.IsOver)
            return interrupted;
        return await Delivery.FinishAsync(session, transaction, intake);
    }

    // Null when the message is whole or the client is gone.
    private static async ValueTask<SmtpReply?> ReceiveAsync(SmtpSession session, MessageIntake intake)
    {
        var connection = session.Connection;
        var limits = session.Services.Limits;
        var scanner = new DataScanner(limits.BareLineEnds);
        while (true)
        {
            // Also for one who never pauses.
            if (session.Overdue is { } overdue)
                return overdue;
            var (status, buffer) = await connection.ReadAsync(session.Patience(limits.DataTimeout));
            if (status is not (ReadStatus.Data or ReadStatus.Closed))
            {
                if (status == ReadStatus.TimedOut)
                    return session.TooLate;
                // A server that stops lets the message come to its end, within bounds.
                continue;
            }

            long consumed = 0;
            var ended = false;
            foreach (var piece in buffer)
            {
                for (var at = 0; at < piece.Length && !ended;)
                {
                    var step = scanner.Next(piece.Span[at..]);
                    if (step.Insert is not null)
                        await intake.WriteAsync(CarriageReturn);
                    if (step.Copy > 0)
                        await intake.WriteAsync(piece.Slice(at + step.Skip, step.Copy));
                    at += step.Consumed;
                    consumed += step.Consumed;
                    ended = step.Ended;
                }

                if (ended)
                    break;
            }

            connection.AdvanceTo(buffer.GetPosition(consumed));
            if (ended)
            {
                connection.Trace?.ReceivedBody(intake.Size);
                if (scanner.SawBareLineEnd && limits.BareLineEnds == BareLineEnds.Refuse)
                    intake.Refuse(SmtpReplies.BareLineEnds);
                return null;
            }

            if (status == ReadStatus.Closed)
            {
                session.End();
                return null;
            }

            if (intake.Refusal is not null && session.Discard(consumed) is { } enough)
                return enough;
        }
    }
}
