using EventMail.Domain.Mailboxes;
using EventMail.Protocols.Imap.Responses;

namespace EventMail.Protocols.Imap.Selected;

/// <summary>expunged-resp = "VANISHED" [SP "(EARLIER)"] SP known-uids (RFC 7162 §3.2.10).</summary>
internal static class Vanished
{
    private const int RangesAtOnce = 256;

    /// <param name="earlier">The client does not count these messages any more, or never has.</param>
    public static async ValueTask WriteAsync(ImapWriter writer, UidSet uids, bool earlier)
    {
        writer.InResponse = true;
        writer.Raw(earlier ? "* VANISHED (EARLIER) "u8 : "* VANISHED "u8);
        for (var i = 0; i < uids.Ranges.Length; i++)
        {
            if (i > 0)
                writer.Byte((byte)',');
            var range = uids.Ranges[i];
            writer.Number(range.First);
            if (range.Last > range.First)
            {
                writer.Byte((byte)':');
                writer.Number(range.Last);
            }

            if (i % RangesAtOnce == RangesAtOnce - 1)
                await writer.FlushIfFullAsync().ConfigureAwait(false);
        }

        writer.Crlf();
        writer.InResponse = false;
    }
}
