using EventMail.Domain.Mailboxes;
using EventMail.Projections.Mailboxes;
using EventMail.Protocols.Imap.Grammar;

namespace EventMail.Protocols.Imap.Listing;

/// <summary>The items that a client asked for, each once.</summary>
internal sealed class StatusRequest
{
    private readonly List<StatusItem> _items = [];

    /// <summary>Of items in capitals that there are.</summary>
    public static StatusRequest Of(IEnumerable<string> names)
    {
        var request = new StatusRequest();
        request._items.AddRange(names.Select(name => StatusItem.Find(System.Text.Encoding.ASCII.GetBytes(name))!));
        return request;
    }

    /// <summary>"(" status-att *(SP status-att) ")"</summary>
    public static bool Expect(ref CommandParser arguments, out StatusRequest request)
    {
        request = new();
        if (!arguments.ExpectByte('('))
            return false;
        do
        {
            if (!arguments.ExpectAtom(out var name))
                return false;
            if (StatusItem.Find(name) is not { } item)
                return arguments.Fail("Unknown status item");
            if (!request._items.Contains(item))
                request._items.Add(item);
        }
        while (arguments.TrySp());
        return arguments.ExpectByte(')');
    }

    /// <summary>What asking for the items switches on.</summary>
    public void Enable(ImapSession session)
    {
        foreach (var item in _items)
        {
            if (item.Enables != Extensions.None)
                session.Enable(item.Enables);
        }
    }

    /// <summary>The STATUS response; none when the mailbox has gone meanwhile.</summary>
    public async ValueTask WriteAsync(ImapSession session, MailboxEntry mailbox)
    {
        MailboxView? view = null;
        if (_items.Exists(item => item.NeedsMessages))
        {
            view = await MessagesAsync(session, mailbox).ConfigureAwait(false);
            if (view is null)
                return;
        }

        Write(session, new(session, mailbox, view));
        await session.Writer.FlushIfFullAsync().ConfigureAwait(false);
    }

    private static async ValueTask<MailboxView?> MessagesAsync(ImapSession session, MailboxEntry mailbox)
    {
        if (mailbox.Messages == 0)
            return MailboxView.Empty;
        var opened = await session.Services.Mailboxes.OpenAsync(session.User!.Id, mailbox.Name, session.Cancel).ConfigureAwait(false);
        using (opened.Value)
            return opened.Value?.View;
    }

    private void Write(ImapSession session, StatusSource source)
    {
        var writer = session.Writer;
        writer.Raw("* STATUS "u8);
        writer.Mailbox(source.Mailbox.Name);
        for (var i = 0; i < _items.Count; i++)
        {
            writer.Raw(i == 0 ? " ("u8 : " "u8);
            writer.Ascii(_items[i].Name);
            writer.Sp();
            _items[i].Write(writer, source);
        }

        writer.Raw(")\r\n"u8);
    }
}
