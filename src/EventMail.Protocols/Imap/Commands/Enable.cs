using System.Text;
using EventMail.Protocols.Imap.Responses;

namespace EventMail.Protocols.Imap.Commands;

/// <summary>RFC 5161: what is unknown is passed over; what was enabled before is not told again.</summary>
internal static class Enable
{
    // A row per extension that ENABLE knows, with what it brings with it.
    private static readonly (string Name, Extensions Brings)[] Known =
    [
        // RFC 7162 §3.2.3: the one brings the other with it.
        ("CONDSTORE", Extensions.Condstore),
        ("QRESYNC", Extensions.Qresync | Extensions.Condstore),
        // RFC 9051 §6.3.1
        ("IMAP4rev2", Extensions.Imap4Rev2),
        // RFC 9586 §3.1
        ("UIDONLY", Extensions.UidOnly),
        ("METADATA", Extensions.Metadata), // RFC 5464 §4.1
        ("UTF8=ACCEPT", Extensions.Utf8Accept), // RFC 6855 §3
    ];

    public static ValueTask<Reply> RunAsync(ImapSession session, ImapCommand command)
    {
        if (Parse(command, out var wanted) is { } error)
            return new(Reply.Bad(error));
        var names = new StringBuilder();
        foreach (var (name, brings) in Known)
        {
            if (wanted.Contains(name, StringComparer.OrdinalIgnoreCase) && (session.Enabled & brings) != brings)
            {
                session.Enable(brings);
                names.Append(' ').Append(name);
            }
        }

        session.Writer.Raw("* ENABLED"u8);
        session.Writer.Ascii(names.ToString());
        session.Writer.Crlf();
        return new(command.Done());
    }

    // enable = "ENABLE" 1*(SP capability)
    private static string? Parse(ImapCommand command, out List<string> names)
    {
        names = [];
        var arguments = command.Arguments;
        do
        {
            if (!arguments.ExpectSp() || !arguments.ExpectAtom(out var name))
                return arguments.Error;
            names.Add(Encoding.ASCII.GetString(name));
        }
        while (!arguments.AtEnd);
        return null;
    }
}
