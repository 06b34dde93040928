using System.Buffers;
using System.Buffers.Text;
using System.Text;
using EventMail.Protocols.Smtp.Data;
using EventMail.Protocols.Wire;

namespace EventMail.Protocols.Smtp.Commands;

/// <summary>BDAT size [LAST] (RFC 3030 §2): a chunk of exactly so many octets, dots and line ends of no meaning.</summary>
internal static class Bdat
{
    public static async ValueTask<SmtpReply?> RunAsync(SmtpSession session)
    {
        if (!TryParse(session.Arguments, out var size, out var last))
        {
            // Where the next command begins is unknown: anything else would read a message as commands.
            session.End();
            return SmtpReplies.BdatSyntax;
        }

        var refusal = Refuse(session);
        var transaction = session.Transaction;
        if (refusal is not null)
        {
            if (transaction is not null)
                transaction.Failed = true;
            if (session.Discard(size) is { } enough)
                return enough;
            var over = await TakeAsync(session, null, size);
            if (over is not null || session.IsOver)
                return over;
            return last && session.Role.AnswersEachRecipient && session.State != SmtpStates.Start ? RefuseEach(session, refusal) : refusal;
        }

        transaction!.Chunks ??= MessageIntake.Begin(session, transaction);
        var intake = transaction.Chunks;
        var interrupted = await TakeAsync(session, intake, size);
        if (interrupted is not null || session.IsOver)
            return interrupted;
        if (last)
            return await Delivery.FinishAsync(session, transaction, intake);
        if (intake.Refusal is null)
            return new SmtpReply(string.Create(null, $"250 2.0.0 {size} octets received"));
        transaction.Failed = true;
        return intake.Refusal;
    }

    // RFC 2033 §4.3: BDAT LAST has a reply for each recipient that was accepted; for none of them none.
    private static SmtpReply? RefuseEach(SmtpSession session, SmtpReply refusal)
    {
        for (var i = 0; i < (session.Transaction?.Recipients.Count ?? 0); i++)
            session.Send(refusal);
        return null;
    }

    private static SmtpReply? Refuse(SmtpSession session) => session.State switch
    {
        SmtpStates.Start => session.Role.SayHello,
        SmtpStates.Ready => SmtpReplies.NeedMail,
        SmtpStates.Mail when session.Transaction!.RecipientSeen =>
            session.Role.NoValidRecipients,
        SmtpStates.Mail => SmtpReplies.NeedRecipient,
        _ => session.Transaction!.Failed ? SmtpReplies.TransactionFailed : null,
    };

    // Takes the chunk off the wire, into the message or (null) nowhere.
    private static async ValueTask<SmtpReply?> TakeAsync(SmtpSession session, MessageIntake? intake, long size)
    {
        var connection = session.Connection;
        for (var left = size; left > 0;)
        {
            // Also for one who never pauses.
            if (session.Overdue is { } overdue)
                return overdue;
            // RFC 2920 §3.2: nothing is waiting, so the replies to what came before the chunk go out.
            if (connection.Output.UnflushedBytes > 0 && !connection.HasBufferedInput && !await connection.FlushAsync())
            {
                session.End();
                return null;
            }

            var (status, buffer) = await connection.ReadAsync(session.Patience(session.Services.Limits.DataTimeout));
            if (status is not (ReadStatus.Data or ReadStatus.Closed))
            {
                if (status == ReadStatus.TimedOut)
                    return session.TooLate;
                continue;
            }

            var chunk = buffer.Slice(0, Math.Min(left, buffer.Length));
            if (intake is not null)
            {
                foreach (var piece in chunk)
                    await intake.WriteAsync(piece);
            }

            var taken = chunk.Length;
            left -= taken;
            connection.AdvanceTo(chunk.End);
            if (intake?.Refusal is not null && session.Discard(taken) is { } enough)
                return enough;
            if (status == ReadStatus.Closed && left > 0)
            {
                session.End();
                return null;
            }
        }

        connection.Trace?.ReceivedBody(size);
        return null;
    }

    // bdat-cmd = "BDAT" SP chunk-size [ SP end-marker ]
    private static bool TryParse(ReadOnlySpan<byte> arguments, out long size, out bool last)
    {
        last = false;
        arguments = arguments.TrimEnd((byte)' ');
        size = 0;
        if (arguments.IsEmpty || !char.IsAsciiDigit((char)arguments[0]) || !Utf8Parser.TryParse(arguments, out size, out var used))
            return false;
        var rest = arguments[used..];
        last = Ascii.EqualsIgnoreCase(rest, " LAST"u8);
        return last || rest.IsEmpty;
    }
}
