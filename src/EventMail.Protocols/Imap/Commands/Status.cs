using EventMail.Projections.Mailboxes;
using EventMail.Protocols.Imap.Grammar;
using EventMail.Protocols.Imap.Responses;

namespace EventMail.Protocols.Imap.Commands;

/// <summary>RFC 3501 §6.3.10: from the mailbox's header, whatever its size.</summary>
internal static class Status
{
    private static readonly (string Name, Func<MailboxEntry, long> Value)[] Items =
    [
        ("MESSAGES", mailbox => mailbox.Messages),
        ("RECENT", mailbox => mailbox.Recent),
        ("UIDNEXT", mailbox => mailbox.UidNext),
        ("UIDVALIDITY", mailbox => mailbox.UidValidity),
        ("UNSEEN", mailbox => mailbox.Unseen),
    ];

    public static async ValueTask<Reply> RunAsync(ImapSession session, ImapCommand command)
    {
        if (Parse(command, out var name, out var items) is { } error)
            return Reply.Bad(error);
        var mailbox = await session.Services.Mailboxes.FindAsync(session.User!.Id, name, session.Cancel).ConfigureAwait(false);
        if (mailbox is null)
            return Reply.No("No such mailbox", "NONEXISTENT");
        if (!mailbox.Selectable)
            return Reply.No("That is no mailbox, only a level above some", "NONEXISTENT");
        Write(session.Writer, mailbox, items);
        return command.Done();
    }

    private static void Write(ImapWriter writer, MailboxEntry mailbox, List<int> items)
    {
        writer.Raw("* STATUS "u8);
        writer.Mailbox(mailbox.Name);
        writer.Raw(" ("u8);
        for (var i = 0; i < items.Count; i++)
        {
            if (i > 0)
                writer.Sp();
            writer.Ascii(Items[items[i]].Name);
            writer.Sp();
            writer.Number(Items[items[i]].Value(mailbox));
        }

        writer.Raw(")\r\n"u8);
    }

    // status = "STATUS" SP mailbox SP "(" status-att *(SP status-att) ")"
    private static string? Parse(ImapCommand command, out string name, out List<int> items)
    {
        (name, items) = ("", []);
        var arguments = command.Arguments;
        if (!arguments.ExpectSp() || !arguments.ExpectMailbox(out name) || !arguments.ExpectSp() || !arguments.ExpectByte('('))
            return arguments.Error;
        do
        {
            if (!TryItem(ref arguments, out var item))
                return "Unknown status item";
            if (!items.Contains(item))
                items.Add(item);
        }
        while (arguments.TrySp());
        return arguments.ExpectByte(')') && arguments.ExpectEnd() ? null : arguments.Error;
    }

    private static bool TryItem(ref CommandParser arguments, out int item)
    {
        item = -1;
        if (!arguments.ExpectAtom(out var atom))
            return false;
        for (var i = 0; i < Items.Length && item < 0; i++)
        {
            if (System.Text.Ascii.EqualsIgnoreCase(atom, Items[i].Name))
                item = i;
        }

        return item >= 0;
    }
}
