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

    /// <summary>Not base64, a line too long, or not the mechanism's grammar: 501 5.5.2, BAD, -ERR.</summary>
    Malformed,

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
        if (!TryDecode(initialResponse, out var response))
            return new(SaslEnd.Malformed, default);
        var line = new Line();
        var saidLastWords = false;
        while (true)
        {
            var step = await exchange.StepAsync(response, cancel).ConfigureAwait(false);
            if (step.State == SaslState.Malformed)
                return new(SaslEnd.Malformed, default);
            // A mechanism's last words after a success (SCRAM's signature) are one more challenge, which the client answers emptily.
            if (step.State == SaslState.Done && (step.Challenge.IsEmpty || saidLastWords))
                return new(SaslEnd.Done, step.Result);
            saidLastWords = step.State == SaslState.Done;

            Challenge(connection.Output, continuation.Span, step.Challenge.Span);
            if (!await connection.FlushAsync().ConfigureAwait(false))
                return new(SaslEnd.Closed, default);
            if (await ReadAsync(connection, line, timeout).ConfigureAwait(false) is { } end)
                return new(end, default);
            if (line.Span.SequenceEqual("*"u8))
                return new(SaslEnd.Cancelled, default);
            if (saidLastWords)
                return line.Length == 0 ? new(SaslEnd.Done, step.Result) : new(SaslEnd.Malformed, default);
            if (!TryDecode(line.Memory, out response, emptyIsEquals: false))
                return new(SaslEnd.Malformed, default);
        }
    }

    private static async ValueTask<SaslEnd?> ReadAsync(MailConnection connection, Line line, TimeSpan timeout)
    {
        while (true)
        {
            switch (await connection.ReadLineAsync(line, MaxResponseLine, timeout).ConfigureAwait(false))
            {
                case LineStatus.Line: return null;
                case LineStatus.TooLong: return SaslEnd.Malformed;
                case LineStatus.TimedOut: return SaslEnd.TimedOut;
                case LineStatus.Stopping: return SaslEnd.Stopping;
                case LineStatus.Closed: return SaslEnd.Closed;
                // A wake-up says nothing to a client that is not logged in.
                case LineStatus.Woken: break;
            }
        }
    }

    private static void Challenge(IBufferWriter<byte> output, ReadOnlySpan<byte> continuation, ReadOnlySpan<byte> challenge)
    {
        output.Write(continuation);
        var span = output.GetSpan(Base64.GetMaxEncodedToUtf8Length(challenge.Length) + 2);
        Base64.EncodeToUtf8(challenge, span, out _, out var written);
        "\r\n"u8.CopyTo(span[written..]);
        output.Advance(written + 2);
    }

    private static bool TryDecode(ReadOnlyMemory<byte>? wire, out ReadOnlyMemory<byte>? decoded, bool emptyIsEquals = true)
    {
        decoded = null;
        if (wire is not { } text)
            return true;
        // RFC 4954 §4: "=" is an initial response of no octets.
        if (text.IsEmpty || (emptyIsEquals && text.Span.SequenceEqual("="u8)))
        {
            decoded = ReadOnlyMemory<byte>.Empty;
            return true;
        }

        var bytes = new byte[Base64.GetMaxDecodedFromUtf8Length(text.Length)];
        if (Base64.DecodeFromUtf8(text.Span, bytes, out var consumed, out var length) != OperationStatus.Done || consumed != text.Length)
            return false;
        decoded = bytes.AsMemory(0, length);
        return true;
    }
}
