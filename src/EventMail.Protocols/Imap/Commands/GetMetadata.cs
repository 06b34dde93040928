using System.Globalization;
using EventMail.Protocols.Imap.Annotations;
using EventMail.Protocols.Imap.Grammar;
using EventMail.Protocols.Imap.Responses;

namespace EventMail.Protocols.Imap.Commands;

/// <summary>RFC 5464 §4.2.</summary>
internal static class GetMetadata
{
    public static async ValueTask<Reply> RunAsync(ImapSession session, ImapCommand command)
    {
        if (Parse(command, session.Limits.MaxMetadataEntries, out var mailbox, out var question) is { } error)
            return Reply.Bad(error);
        var values = await session.Services.Metadata.GetAsync(session.User!.Id, mailbox, session.Cancel).ConfigureAwait(false);
        if (values.Rejection is { } rejection)
            return Reply.Refused(rejection);
        var answer = question.Answer(values.Value!, out var longest);
        if (answer.Count > 0)
            MetadataResponse.Write(session.Writer, mailbox, answer);
        // §4.2.1: the size of the biggest that was left out.
        return command.Done(longest == 0 ? null : string.Create(CultureInfo.InvariantCulture, $"METADATA LONGENTRIES {longest}"));
    }

    // getmetadata = "GETMETADATA" [SP getmetadata-options] SP mailbox SP entries
    // The examples of §4.2 have the options behind the mailbox instead: both are taken.
    private static string? Parse(ImapCommand command, int maxEntries, out string mailbox, out MetadataQuestion question)
    {
        (mailbox, question) = ("", new([]));
        var arguments = command.Arguments;
        if (!arguments.ExpectSp())
            return arguments.Error;
        if (arguments.Peek == '(' && (!ExpectOptions(ref arguments, ref question) || !arguments.ExpectSp()))
            return arguments.Error;
        if (!arguments.ExpectMailbox(out mailbox) || !arguments.ExpectSp())
            return arguments.Error;
        // An entry begins with "/", an option does not.
        if (arguments.Rest.Length > 1 && arguments.Rest[0] == '(' && char.IsAsciiLetter((char)arguments.Rest[1])
            && (!ExpectOptions(ref arguments, ref question) || !arguments.ExpectSp()))
            return arguments.Error;
        if (!arguments.ExpectEntries(maxEntries, out var entries) || !arguments.ExpectEnd())
            return arguments.Error;
        question = question with { Entries = entries };
        return null;
    }

    // getmetadata-options = "(" getmetadata-option *(SP getmetadata-option) ")"
    private static bool ExpectOptions(ref CommandParser arguments, ref MetadataQuestion question)
    {
        if (!arguments.ExpectByte('('))
            return false;
        do
        {
            // maxsize-opt = "MAXSIZE" SP number
            if (arguments.TryWord("MAXSIZE"u8))
            {
                if (!arguments.ExpectSp() || !arguments.ExpectNumber(out var size))
                    return false;
                question = question with { MaxSize = size };
            }
            else if (!arguments.TryWord("DEPTH"u8))
            {
                return arguments.Fail("Unknown GETMETADATA option");
            }
            else if (!ExpectDepth(ref arguments, ref question))
            {
                return false;
            }
        }
        while (arguments.TrySp());
        return arguments.ExpectByte(')');
    }

    // scope-opt = "DEPTH" SP ("0" / "1" / "infinity")
    private static bool ExpectDepth(ref CommandParser arguments, ref MetadataQuestion question)
    {
        if (!arguments.ExpectSp())
            return false;
        int depth;
        if (arguments.TryWord("0"u8))
            depth = 0;
        else if (arguments.TryWord("1"u8))
            depth = 1;
        else if (arguments.TryWord("INFINITY"u8))
            depth = int.MaxValue;
        else
            return arguments.Fail("Unknown DEPTH");
        question = question with { Depth = depth };
        return true;
    }
}
