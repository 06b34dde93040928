using System.Buffers;
using System.Text.Json;

namespace EventMail.EventStore;

/// <summary>
/// JSON in the one form that everybody arrives at (RFC 8785, JCS): members sorted by the UTF-16 code units of their names, no white space,
/// strings as UTF-8 with the shortest escapes. Two things are left open there and settled here: of members with the same name the last
/// stays (as PostgreSQL's jsonb has it), and numbers stay as they are written, -0 apart: those of our events are integers below
/// 2^53, which every writer prints alike.
/// </summary>
public static class CanonicalJson
{
    /// <exception cref="JsonException">It is no JSON text, or a string in it is no text (half of a surrogate pair).</exception>
    public static void Write(ReadOnlySpan<byte> json, IBufferWriter<byte> output)
    {
        var writer = CanonicalWriter.Rent();
        writer.WriteJson(json);
        output.Write(writer.Written);
        CanonicalWriter.Return(writer);
    }
}
