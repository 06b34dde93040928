using System.Text;
using EventMail.Protocols.Imap.Grammar;
using EventMail.Protocols.Imap.Responses;

namespace EventMail.Protocols.Imap.Commands;

/// <summary>CREATE (RFC 3501 §6.3.3) with USE (RFC 6154 §3).</summary>
internal static class Create
{
    public static async ValueTask<Reply> RunAsync(ImapSession session, ImapCommand command)
    {
        if (Parse(command, out var name, out var uses) is { } error)
            return Reply.Bad(error);
        string? use = null;
        if (uses.Count > 0 && !SpecialUses.TryChoose(uses, out use))
            return Reply.No("That special use is not supported", "USEATTR");
        var created = await session.Services.Mailboxes.CreateAsync(
            session.User!.Id, name, use, session.User.Actor, command.Tag, session.Cancel).ConfigureAwait(false);
        return created.Rejection is { } rejection
            ? Reply.Refused(rejection)
            // RFC 8474 §4.1
            : command.Done($"MAILBOXID ({ObjectIds.OfMailbox(created.Value!.Id)})");
    }

    // create = "CREATE" SP mailbox [SP "(" create-param *(SP create-param) ")"]; create-param = "USE" SP "(" [use-attr *(SP use-attr)] ")"
    private static string? Parse(ImapCommand command, out string name, out List<string> uses)
    {
        (name, uses) = ("", []);
        var arguments = command.Arguments;
        if (!arguments.ExpectSp() || !arguments.ExpectMailbox(out name))
            return arguments.Error;
        if (!arguments.AtEnd && (!arguments.ExpectSp() || !arguments.ExpectByte('(') || !ExpectUse(ref arguments, uses) || !arguments.ExpectByte(')')))
            return arguments.Error;
        return arguments.ExpectEnd() ? null : arguments.Error;
    }

    private static bool ExpectUse(ref CommandParser arguments, List<string> uses)
    {
        if (!arguments.TryWord("USE"u8))
            return arguments.Fail("Unknown CREATE parameter");
        if (!arguments.ExpectSp() || !arguments.ExpectByte('('))
            return false;
        if (arguments.TryByte(')'))
            return true;
        do
        {
            if (!arguments.ExpectByte('\\') || !arguments.ExpectAtom(out var attribute))
                return false;
            uses.Add("\\" + Encoding.ASCII.GetString(attribute));
        }
        while (arguments.TrySp());
        return arguments.ExpectByte(')');
    }
}

/// <summary>RFC 6154 §2. \All and \Flagged would be views over other mailboxes, which we do not have.</summary>
internal static class SpecialUses
{
    private static readonly string[] Known = ["\\Archive", "\\Drafts", "\\Junk", "\\Sent", "\\Trash"];

    /// <summary>A mailbox has one use here: RFC 6154 §3 lets the server refuse more.</summary>
    public static bool TryChoose(List<string> wanted, out string? use)
    {
        use = wanted.Count == 1 ? Known.FirstOrDefault(known => known.Equals(wanted[0], StringComparison.OrdinalIgnoreCase)) : null;
        return use is not null;
    }
}
