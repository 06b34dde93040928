using System.Text;
using EventMail.Protocols.Smtp;

namespace EventMail.Protocols.Filters.Milter;

/// <summary>The last word of a milter about a message, or about a recipient.</summary>
/// <param name="Word">For the event and the log.</param>
/// <param name="Reply">With <see cref="FilterOutcome.TryLater"/> and <see cref="FilterOutcome.Refuse"/>.</param>
internal sealed record MilterOutcome(FilterOutcome Kind, string Word, SmtpReply? Reply = null)
{
    public bool IsRefusal => Kind is FilterOutcome.TryLater or FilterOutcome.Refuse;

    public static readonly MilterOutcome Accepted = new(FilterOutcome.Accept, "accept");

    /// <summary>Null when it is no last word.</summary>
    /// <exception cref="InvalidDataException">A reply of SMTP that is none.</exception>
    public static MilterOutcome? Of(MilterPacket packet) => packet.Reply switch
    {
        MilterReply.Accept => Accepted,
        MilterReply.Discard => new(FilterOutcome.Discard, "discard"),
        MilterReply.Reject => new(FilterOutcome.Refuse, "reject", FilterReplies.Refused),
        MilterReply.TempFail or MilterReply.Shutdown => new(FilterOutcome.TryLater, "tempfail", FilterReplies.TryLater),
        MilterReply.ReplyCode => OfReply(Encoding.UTF8.GetString(packet.Data.Span).TrimEnd('\0')),
        MilterReply.ConnectionFailed => throw new InvalidDataException("it says that it has failed"),
        _ => null,
    };

    // "550 5.7.1 text" or several such lines, the code behind each with a hyphen but for the last. %% stands for %.
    private static MilterOutcome OfReply(string text)
    {
        var (code, enhanced, words) = ("", "", new StringBuilder());
        foreach (var raw in text.AsSpan().EnumerateLines())
        {
            var line = raw.Trim();
            if (line.Length < 3)
                continue;
            if (code.Length == 0)
                code = line[..3].ToString();
            line = line[Math.Min(line.Length, 4)..];
            if (EnhancedLength(line, code[0]) is var length and > 0)
            {
                if (enhanced.Length == 0)
                    enhanced = line[..length].ToString();
                line = line[length..];
            }
            words.Append(' ').Append(line.Trim());
        }
        if (code.Length != 3 || code[0] is not ('4' or '5') || !code.All(char.IsAsciiDigit))
            throw new InvalidDataException("its reply has no code of 4xx or 5xx");
        if (enhanced.Length == 0)
            enhanced = $"{code[0]}.7.1";
        var reply = FieldText.Reply(code, enhanced, words.ToString().Replace("%%", "%", StringComparison.Ordinal));
        return code[0] == '4' ? new(FilterOutcome.TryLater, "tempfail", reply) : new(FilterOutcome.Refuse, "reject", reply);
    }

    // RFC 3463 §2: class.subject.detail of the same class.
    private static int EnhancedLength(ReadOnlySpan<char> line, char @class)
    {
        var end = line.IndexOf(' ');
        var word = end < 0 ? line : line[..end];
        return word.Length is >= 5 and <= 9 && word[0] == @class && word[1] == '.' && word.Count('.') == 2 && word.IndexOfAnyExcept("0123456789.") < 0
            && word[^1] != '.' && !word.Contains("..", StringComparison.Ordinal) ? word.Length : 0;
    }
}
