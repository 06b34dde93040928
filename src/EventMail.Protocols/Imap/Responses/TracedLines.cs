using System.Buffers;
using EventMail.Protocols.Wire;

namespace EventMail.Protocols.Imap.Responses;

/// <summary>What a session sends, for the wire trace: lines whole, messages' octets by their number only.</summary>
internal sealed class TracedLines
{
    private readonly ArrayBufferWriter<byte> _line = new();

    public void Add(WireTrace trace, ReadOnlySpan<byte> octets, bool isContent)
    {
        if (octets.IsEmpty)
            return;
        if (isContent)
        {
            EndLine(trace);
            trace.SentBody(octets.Length);
            return;
        }

        while (octets.IndexOf((byte)'\n') is >= 0 and var end)
        {
            _line.Write(octets[..end]);
            EndLine(trace);
            octets = octets[(end + 1)..];
        }

        _line.Write(octets);
    }

    private void EndLine(WireTrace trace)
    {
        if (_line.WrittenCount > 0)
            trace.Sent(_line.WrittenSpan);
        _line.ResetWrittenCount();
    }
}
