using System.Buffers;
using System.Buffers.Text;
using EventMail.Projections.Accounts;
using EventMail.Protocols.Wire;

namespace EventMail.Protocols.Sasl;

public enum SaslEnd
{
    /// <summary>The mechanism came to its end: see <see cref="SaslOutcome.Result"/>.</summary>
    Done,

    /// <summary>The client sent "*" (RFC 4954 §4, RFC 9051 §6.2.2).</summary>
    Cancelled,

    /// <summary>Not base64, or not the mechanism's grammar: 501 5.5.2, BAD, -ERR.</summary>
    Malformed,

    /// <summary>Longer than <see cref="SaslFraming.MaxResponseLine"/>: 500 5.5.6 (RFC 4954 §4), BAD, -ERR.</summary>
    LineTooLong,

    TimedOut,

    /// <summary>The server is shutting down.</summary>
    Stopping,

    Closed,
}

public readonly record struct SaslOutcome(SaslEnd End, LoginResult Result);

/// <summary>The base64 dialogue that SMTP (RFC 4954), IMAP (RFC 9051 §6.2.2) and POP3 (RFC 5034) share.</summary>
public static class SaslFraming
{
    /// <summary>The longest response line (RFC 4954 §4 asks for 12,288).</summary>
    public const int MaxResponseLine = 12288;

    /// <summary>"334 "</summary>
    public static ReadOnlyMemory<byte> Smtp { get; } = "334 "u8.ToArray();

    /// <summary>"+ "</summary>
    public static ReadOnlyMemory<byte> ImapAndPop3 { get; } = "+ "u8.ToArray();

    /// <summary>Runs an exchange to its end. The caller sends the final reply.</summary>
    /// <param name="initialResponse">As on the wire: base64, "=" for an empty one; null when the client sent none.</param>
    /// <param name="continuation">What a challenge line begins with.</param>
    /// <param name="timeout">For each of the client's lines.</param>
    public static async ValueTask<SaslOutcome> RunAsync(
        MailConnection connection, SaslExchange exchange, ReadOnlyMemory<byte>? initialResponse, ReadOnlyMemory<byte> continuation,
        TimeSpan timeout, CancellationToken cancel)
    {
        ReadOnlyMemory<byte>? response = null;
        if (initialResponse is { } initial)
        {
            // RFC 4954 §4: "=" is an initial response of no length.
            var octets = ReadOnlyMemory<byte>.Empty;
            if (!initial.Span.SequenceEqual("="u8) && !TryDecode(initial.Span, out octets))
            {
                return new(SaslEnd.Malformed, default);
            }

            response = octets;
        }

        var line = new Line();
        while (true)
        {
            var step = await exchange.StepAsync(response, cancel).ConfigureAwait(false);
            if (step.State == SaslState.Malformed)
            {
                return new(SaslEnd.Malformed, default);
            }

            // The protocols here have no place for a success's data in their final reply: it goes as one challenge more.
            if (step.State == SaslState.Done && step.Challenge.IsEmpty)
            {
                return new(SaslEnd.Done, step.Result);
            }

            var end = await AskAsync(connection, continuation, step.Challenge, line, timeout).ConfigureAwait(false);
            if (end is not null)
            {
                return new(end.Value, default);
            }

            if (step.State == SaslState.Done)
            {
                return line.Span.IsEmpty ? new(SaslEnd.Done, step.Result) : new(SaslEnd.Malformed, default);
            }

            if (!TryDecode(line.Span, out var decoded))
            {
                return new(SaslEnd.Malformed, default);
            }

            response = decoded;
        }
    }

    /// <summary>Sends a challenge and reads the line that answers it; null when there is one that is not "*".</summary>
    private static async ValueTask<SaslEnd?> AskAsync(
        MailConnection connection, ReadOnlyMemory<byte> continuation, ReadOnlyMemory<byte> challenge, Line line, TimeSpan timeout)
    {
        Write(connection.Output, continuation.Span, challenge.Span);
        connection.Trace?.SentSecret(challenge.Length);
        if (!await connection.FlushAsync().ConfigureAwait(false))
        {
            return SaslEnd.Closed;
        }

        LineStatus status;
        do
        {
            // Nobody who is not logged in can be woken for something.
            status = await connection.ReadLineAsync(line, MaxResponseLine, timeout).ConfigureAwait(false);
        }
        while (status == LineStatus.Woken);
        connection.Trace?.ReceivedSecret(line.Length);
        return status switch
        {
            LineStatus.Line => line.Span.SequenceEqual("*"u8) ? SaslEnd.Cancelled : null,
            LineStatus.TooLong => SaslEnd.LineTooLong,
            LineStatus.TimedOut => SaslEnd.TimedOut,
            LineStatus.Stopping => SaslEnd.Stopping,
            _ => SaslEnd.Closed,
        };
    }

    private static void Write(IBufferWriter<byte> output, ReadOnlySpan<byte> continuation, ReadOnlySpan<byte> challenge)
    {
        output.Write(continuation);
        var encoded = output.GetSpan(Base64.GetMaxEncodedToUtf8Length(challenge.Length));
        Base64.EncodeToUtf8(challenge, encoded, out _, out var written);
        output.Advance(written);
        output.Write("\r\n"u8);
    }

    // RFC 4648 §4, strictly: no white space, right padding.
    private static bool TryDecode(ReadOnlySpan<byte> text, out ReadOnlyMemory<byte> octets)
    {
        octets = default;
        if (text.ContainsAny(" \t\r\n"u8))
        {
            return false;
        }

        var bytes = new byte[Base64.GetMaxDecodedFromUtf8Length(text.Length)];
        if (Base64.DecodeFromUtf8(text, bytes, out var consumed, out var written) != OperationStatus.Done || consumed != text.Length)
        {
            return false;
        }

        octets = bytes.AsMemory(0, written);
        return true;
    }
}
