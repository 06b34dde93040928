using System.Buffers.Text;
using EventMail.Projections.Maildrops;

namespace EventMail.Protocols.Pop3.Commands;

/// <summary>The lines of LIST and UIDL: one for each message that is not marked as deleted.</summary>
internal static class Listing
{
    private const int MaxLine = 64;

    // Between two looks at how much is waiting to be sent.
    private const int Step = 1000;

    public readonly record struct Entry(int Number, long Octets, uint UidValidity, uint Uid);

    /// <summary>Writes a line without its CRLF and answers its length.</summary>
    public delegate int Formatter(in Entry entry, Span<byte> line);

    public static async ValueTask WriteAsync(Pop3Session session, Formatter format)
    {
        for (var start = 0; start < session.Maildrop!.Count; start += Step)
        {
            WriteStep(session, session.Maildrop, start, format);
            if (!await session.FlushIfMuchAsync())
            {
                return;
            }
        }
    }

    public static int Format(long number, Span<byte> line) =>
        Utf8Formatter.TryFormat(number, line, out var written)
            ? written
            : throw new ArgumentException("A listing's line is longer than thought.", nameof(line));

    private static void WriteStep(Pop3Session session, Maildrop maildrop, int start, Formatter format)
    {
        foreach (var slice in maildrop.View.Slices(start, Math.Min(Step, maildrop.Count - start)))
        {
            for (var i = 0; i < slice.Length; i++)
            {
                var index = slice.Start + i;
                if (session.Deleted[index])
                {
                    continue;
                }

                var octets = maildrop.OctetsOf(slice.Contents[i], slice.Sizes[i]);
                var line = session.Output.GetSpan(MaxLine);
                var length = format(new(index + 1, octets, maildrop.UidValidity, slice.Uids[i]), line);
                "\r\n"u8.CopyTo(line[length..]);
                session.Output.Advance(length + 2);
            }
        }
    }
}
