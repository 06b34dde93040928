using System.Text;
using EventMail.Projections.Mailboxes;
using EventMail.Protocols.Imap.Grammar;
using EventMail.Protocols.Imap.Responses;

namespace EventMail.Protocols.Imap.Commands;

/// <summary>LIST (RFC 3501 §6.3.8) with CHILDREN (RFC 3348) and the SPECIAL-USE options (RFC 6154 §2).</summary>
internal static class List
{
    public static async ValueTask<Reply> RunAsync(ImapSession session, ImapCommand command)
    {
        if (Parse(command, out var pattern, out var specialUseOnly) is { } error)
            return Reply.Bad(error);
        if (pattern is null)
        {
            // §6.3.8: the empty name asks for the hierarchy delimiter and the root.
            Write(session.Writer, "LIST"u8, "\\Noselect", "");
            return command.Done();
        }

        foreach (var mailbox in await session.Services.Mailboxes.ListAsync(session.User!.Id, session.Cancel).ConfigureAwait(false))
        {
            if ((specialUseOnly && mailbox.SpecialUse is null) || !pattern.Matches(mailbox.Name))
                continue;
            Write(session.Writer, "LIST"u8, Attributes(mailbox), mailbox.Name);
            await session.Writer.FlushIfFullAsync().ConfigureAwait(false);
        }

        return command.Done();
    }

    private static string Attributes(MailboxEntry mailbox)
    {
        var attributes = mailbox.HasChildren ? "\\HasChildren" : "\\HasNoChildren";
        if (!mailbox.Selectable)
            attributes = "\\Noselect " + attributes;
        return mailbox.SpecialUse is { } use ? attributes + " " + use : attributes;
    }

    public static void Write(ImapWriter writer, ReadOnlySpan<byte> name, string attributes, string mailbox)
    {
        writer.Raw("* "u8);
        writer.Raw(name);
        writer.Raw(" ("u8);
        writer.Ascii(attributes);
        writer.Raw(") \"/\" "u8);
        writer.Mailbox(mailbox);
        writer.Crlf();
    }

    // list = "LIST" [SP "(" [option *(SP option)] ")"] SP mailbox SP list-mailbox [SP "RETURN" SP "(" [option *(SP option)] ")"]
    private static string? Parse(ImapCommand command, out ListPattern? pattern, out bool specialUseOnly)
    {
        pattern = null;
        specialUseOnly = false;
        var arguments = command.Arguments;
        if (!arguments.ExpectSp())
            return arguments.Error;
        if (arguments.TryByte('(') && (!ExpectOptions(ref arguments, "SPECIAL-USE"u8, default, out specialUseOnly) || !arguments.ExpectSp()))
            return arguments.Error;
        if (!arguments.ExpectAString(out var reference) || !arguments.ExpectSp() || !arguments.ExpectListMailbox(out var wanted))
            return arguments.Error;
        // What RETURN may ask for is in every answer anyway.
        if (!arguments.AtEnd && (!arguments.ExpectSp() || !ExpectReturn(ref arguments)))
            return arguments.Error;
        if (!arguments.ExpectEnd())
            return arguments.Error;
        return wanted.IsEmpty || ListPattern.TryParse(reference, wanted, out pattern) ? null : "Invalid mailbox pattern";
    }

    private static bool ExpectReturn(ref CommandParser arguments) =>
        (arguments.TryWord("RETURN"u8) || arguments.Fail("Unknown LIST option")) && arguments.ExpectSp() && arguments.ExpectByte('(')
        && ExpectOptions(ref arguments, "SPECIAL-USE"u8, "CHILDREN"u8, out _);

    private static bool ExpectOptions(ref CommandParser arguments, ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, out bool any)
    {
        any = false;
        if (arguments.TryByte(')'))
            return true;
        do
        {
            if (!arguments.ExpectAtom(out var option))
                return false;
            if (!Ascii.EqualsIgnoreCase(option, first) && !Ascii.EqualsIgnoreCase(option, second))
                return arguments.Fail("Unknown LIST option");
            any = true;
        }
        while (arguments.TrySp());
        return arguments.ExpectByte(')');
    }
}
