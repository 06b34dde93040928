using EventMail.Domain.Mailboxes;
using EventMail.Protocols.Imap.Fetching;
using EventMail.Protocols.Imap.Grammar;
using EventMail.Protocols.Imap.Responses;

namespace EventMail.Protocols.Imap.Notifying;

/// <summary>Reads NOTIFY's arguments (RFC 5465 §8). What is wrong with the events is said only of a command that is no syntax error.</summary>
internal ref struct NotifyParser(ImapSession session, CommandParser arguments)
{
    private CommandParser _arguments = arguments;
    private SelectedGroup? _selected;
    private readonly List<EventGroup> _groups = [];
    private int _names;
    private bool _unsupported;
    private string? _broken;

    // notify = "NOTIFY" SP (notify-set / notify-none); notify-set = "SET" [SP "STATUS"] SP event-groups; notify-none = "NONE"
    public Reply? Parse(out NotifyRequest request)
    {
        request = NotifyRequest.None;
        if (!_arguments.ExpectSp())
            return Bad();
        if (_arguments.TryWord("NONE"u8))
            return _arguments.ExpectEnd() ? null : Bad();
        if ((!_arguments.TryWord("SET"u8) && !_arguments.Fail("Expected SET or NONE")) || !_arguments.ExpectSp())
            return Bad();
        var status = _arguments.TryWord("STATUS"u8);
        if ((status && !_arguments.ExpectSp()) || !ExpectGroups() || !_arguments.ExpectEnd())
            return Bad();
        // §3.1: of an event that is not supported the client is told first, and not by BAD.
        if (_unsupported)
            return Reply.No("That event is not supported", NotifyEventNames.BadEvent);
        if (_broken is not null)
            return Reply.Bad(_broken);
        if (_names > session.Limits.MaxNotifyNames)
            return Reply.No("Too many mailboxes", "NOTIFICATIONOVERFLOW");
        request = new(status, _selected ?? SelectedGroup.None, _groups);
        return null;
    }

    private readonly Reply Bad() => Reply.Bad(_arguments.Error!);

    // event-groups = event-group *(SP event-group)
    private bool ExpectGroups()
    {
        do
        {
            if (!ExpectGroup())
                return false;
        }
        while (_arguments.TrySp());
        return true;
    }

    // event-group = "(" filter-mailboxes SP events ")"
    private bool ExpectGroup()
    {
        if (!_arguments.ExpectByte('('))
            return false;
        var delayed = _arguments.TryWord("SELECTED-DELAYED"u8);
        if (delayed || _arguments.TryWord("SELECTED"u8))
        {
            if (!_arguments.ExpectSp() || !ExpectEvents(out var ofSelected, out var items))
                return false;
            if (_selected is not null)
                _broken ??= "SELECTED and SELECTED-DELAYED only once";
            // §6.1
            if ((ofSelected & ~NotifyEvents.OfMessages) != 0)
                _broken ??= "SELECTED is for events of messages";
            _selected = new(ofSelected, delayed, items ?? []);
            return _arguments.ExpectByte(')');
        }

        if (!ExpectFilter(out var filter) || !_arguments.ExpectSp() || !ExpectEvents(out var events, out var ofNew))
            return false;
        // §8: "The fetch-att list may only be present for the SELECTED/SELECTED-DELAYED mailbox filter".
        if (ofNew is not null)
            _broken ??= "Data items are for the selected mailbox";
        _groups.Add(new(filter, events));
        return _arguments.ExpectByte(')');
    }

    private bool ExpectFilter(out MailboxFilter filter)
    {
        filter = new(FilterKind.Personal);
        if (_arguments.TryWord("PERSONAL"u8))
            return true;
        filter = new(FilterKind.Inboxes);
        if (_arguments.TryWord("INBOXES"u8))
            return true;
        filter = new(FilterKind.Subscribed);
        if (_arguments.TryWord("SUBSCRIBED"u8))
            return true;
        var subtree = _arguments.TryWord("SUBTREE"u8);
        if (!subtree && !_arguments.TryWord("MAILBOXES"u8))
            return _arguments.Fail("Unknown mailbox filter");
        if (!_arguments.ExpectSp() || !ExpectMailboxes(out var names))
            return false;
        filter = new(subtree ? FilterKind.Subtree : FilterKind.Mailboxes, names);
        return true;
    }

    // one-or-more-mailbox = mailbox / many-mailboxes; many-mailboxes = "(" mailbox *(SP mailbox) ")"
    private bool ExpectMailboxes(out HashSet<string> names)
    {
        names = new(StringComparer.Ordinal);
        var many = _arguments.TryByte('(');
        do
        {
            if (!_arguments.ExpectMailbox(out var name))
                return false;
            names.Add(MailboxName.Canonical(name));
            _names++;
        }
        while (many && _arguments.TrySp());
        return !many || _arguments.ExpectByte(')');
    }

    // events = ("(" event *(SP event) ")") / "NONE"
    private bool ExpectEvents(out NotifyEvents events, out List<FetchItem>? items)
    {
        (events, items) = (NotifyEvents.None, null);
        if (_arguments.TryWord("NONE"u8))
            return true;
        if (!_arguments.ExpectByte('('))
            return false;
        var unknown = false;
        do
        {
            if (!_arguments.ExpectAtom(out var name))
                return false;
            var one = NotifyEventNames.Find(name);
            _unsupported |= one == NotifyEvents.None;
            unknown |= one == NotifyEvents.None;
            events |= one;
            if (one == NotifyEvents.MessageNew && !ExpectItems(ref items))
                return false;
        }
        while (_arguments.TrySp());
        // §5
        var counts = events & NotifyEvents.Counts;
        if (!unknown && counts != NotifyEvents.Counts && (events & NotifyEvents.OfMessages) != 0)
            _broken ??= "MessageNew and MessageExpunge belong together, and to FlagChange";
        return _arguments.ExpectByte(')');
    }

    // "MessageNew" [SP "(" fetch-att *(SP fetch-att) ")"]
    private bool ExpectItems(ref List<FetchItem>? items)
    {
        if (!_arguments.Rest.StartsWith(" ("u8))
            return true;
        _arguments.Skip(1);
        // RFC 7162 §3.2.4 wants the UID in what is not asked for; a UIDFETCH has it already.
        return _arguments.ExpectFetchItems(session.Limits.MaxFetchItems, byUid: !session.Has(Extensions.UidOnly), out items!);
    }
}
