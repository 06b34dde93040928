using System.Text;

namespace EventMail.Domain.Messages;

/// <summary>
/// RFC 6858 §2.2: parameters that ASCII cannot write. They may be dropped; RFC 2231 writes their values all the same, so that
/// attachments keep their names.
/// </summary>
internal static class SurrogateParameters
{
    public static void Write(byte[] body, int maxParameters, ref FoldedLine line)
    {
        var end = body.AsSpan().IndexOf((byte)';');
        var value = end < 0 ? body.AsSpan() : body.AsSpan(0, end);
        line.Word(Encoding.ASCII.GetBytes(new string([.. Encoding.ASCII.GetString(value).Where(c => c is >= ' ' and <= '~' and not '?')])).AsSpan().Trim((byte)' '));
        var tokens = new HeaderTokens(body, 0, body.Length);
        foreach (var parameter in ParameterParser.Read(ref tokens, maxParameters))
        {
            if (!System.Text.Ascii.IsValid(parameter.Name.Span))
                continue;
            line.Glue(";"u8);
            if (System.Text.Ascii.IsValid(parameter.Value.Span))
                line.Word([.. parameter.Name.Span, .. "="u8, .. SurrogateAddresses.Quoted(parameter.Value.Span)]);
            else
                WriteExtended(parameter, ref line);
        }
    }

    // RFC 2231 §4: name*=UTF-8''percent-encoded; §3: name*0*, name*1* … where that is long.
    private static void WriteExtended(Parameter parameter, ref FoldedLine line)
    {
        const int pieceLength = 60;
        var encoded = Uri.EscapeDataString(Encoding.UTF8.GetString(parameter.Value.Span));
        var name = Encoding.ASCII.GetString(parameter.Name.Span).TrimEnd('*');
        if (encoded.Length <= pieceLength)
        {
            line.Word(Encoding.ASCII.GetBytes($"{name}*=UTF-8''{encoded}"));
            return;
        }
        for (var (at, segment) = (0, 0); at < encoded.Length; segment++)
        {
            var length = Math.Min(pieceLength, encoded.Length - at);
            // No %XX is parted.
            while (at + length < encoded.Length && (encoded[at + length - 1] == '%' || encoded[at + length - 2] == '%'))
                length--;
            if (segment > 0)
                line.Glue(";"u8);
            line.Word(Encoding.ASCII.GetBytes($"{name}*{segment}*={(segment == 0 ? "UTF-8''" : "")}{encoded.AsSpan(at, length)}"));
            at += length;
        }
    }
}
