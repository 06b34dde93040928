using System.Text;

namespace EventMail.Protocols.Smtp.Client;

/// <summary>Puts the lines of one reply together (RFC 5321 §4.2). Feed it line by line until it answers.</summary>
internal struct ReplyParser(ClientLimits limits, bool utf8)
{
    private readonly List<string> _lines = [];
    private string? _enhanced;
    private int _code;
    private int _octets;

    // Reply-line = *( Reply-code "-" [ textstring ] CRLF ) Reply-code [ SP textstring ] CRLF
    /// <param name="line">Without its line end.</param>
    /// <returns>Null while more lines follow.</returns>
    public RemoteReply? Add(ReadOnlySpan<byte> line)
    {
        _octets += line.Length + 2;
        if (_lines.Count >= limits.ReplyLines || _octets > limits.Reply)
        {
            return RemoteReply.Garbage($"A reply of more than {limits.ReplyLines} lines or {limits.Reply} octets");
        }

        if (line.Length < 3 || line[0] is < (byte)'2' or > (byte)'5' || !char.IsAsciiDigit((char)line[1]) || !char.IsAsciiDigit((char)line[2])
            || (line.Length > 3 && line[3] is not ((byte)' ' or (byte)'-')))
        {
            return RemoteReply.Garbage($"Not a reply: {ReplyText.OneLine(Decode(line), 100)}");
        }

        var code = ((line[0] - '0') * 100) + ((line[1] - '0') * 10) + line[2] - '0';
        if (_lines.Count > 0 && code != _code)
        {
            // RFC 5321 §4.2.1: the code is the same in all lines; where it is not, it cannot be told what was meant.
            return RemoteReply.Garbage($"A reply with the codes {_code} and {code}");
        }

        _code = code;
        var text = Decode(line.Length > 4 ? line[4..] : default);
        // RFC 2034 §4: the classes agree. Those of refusals may not, which says something too; success and refusal cannot be meant both.
        if (EnhancedCode.TryRead(text, out var enhanced, out _) && (enhanced[0] == '2') == (code < 400))
        {
            _enhanced ??= enhanced;
        }

        _lines.Add(text);
        return line.Length > 3 && line[3] == (byte)'-' ? null : new(code, _enhanced, Join(), _lines);
    }

    private readonly string Join()
    {
        var text = new StringBuilder();
        foreach (var line in _lines)
        {
            var rest = EnhancedCode.TryRead(line, out var enhanced, out var length) && enhanced == _enhanced ? line[length..] : line;
            text.Append(text.Length > 0 && rest.Length > 0 ? " " : "").Append(rest);
            if (text.Length > limits.Text)
            {
                break;
            }
        }

        return ReplyText.OneLine(text.ToString(), limits.Text);
    }

    // RFC 6531 §3.5: UTF-8 is for those who asked for it. Elsewhere octets beyond ASCII are not text.
    private readonly string Decode(ReadOnlySpan<byte> line) => (utf8 ? Encoding.UTF8 : Encoding.ASCII).GetString(line);
}
