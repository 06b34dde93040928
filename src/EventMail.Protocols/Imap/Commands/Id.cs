using System.Text;
using EventMail.Protocols.Imap.Grammar;
using EventMail.Protocols.Imap.Responses;

namespace EventMail.Protocols.Imap.Commands;

/// <summary>RFC 2971: client and server tell each other what they are. Nothing depends on it.</summary>
internal static class Id
{
    // RFC 2971 §3.3: at most 30 pairs.
    private const int MaxPairs = 30;

    public static ValueTask<Reply> RunAsync(ImapSession session, ImapCommand command)
    {
        var arguments = command.Arguments;
        if (!arguments.ExpectSp() || !ExpectParameters(ref arguments) || !arguments.ExpectEnd())
            return new(Reply.Bad(arguments.Error!));
        var writer = session.Writer;
        writer.Raw("* ID (\"name\" \"EventMail\" \"version\" "u8);
        writer.String(Encoding.UTF8.GetBytes(session.Services.Version));
        writer.Raw(")\r\n"u8);
        return new(command.Done());
    }

    // id_params_list = "(" *(string SP nstring) ")" / nil
    private static bool ExpectParameters(ref CommandParser arguments)
    {
        if (arguments.TryWord("NIL"u8))
            return true;
        if (!arguments.ExpectByte('('))
            return false;
        for (var pairs = 0; !arguments.TryByte(')'); pairs++)
        {
            if (pairs == MaxPairs)
                return arguments.Fail("Too many parameters");
            if ((pairs > 0 && !arguments.ExpectSp()) || !arguments.ExpectString(out _) || !arguments.ExpectSp()
                || !arguments.ExpectNString(out _, out _))
                return false;
        }

        return true;
    }
}
