using System.Text;
using EventMail.Domain.Mailboxes;
using EventMail.Projections.Mailboxes;
using EventMail.Protocols.Imap.Listing;
using EventMail.Protocols.Imap.Responses;

namespace EventMail.Protocols.Imap.Commands;

/// <summary>LIST (RFC 3501 §6.3.8) with its extensions (RFC 5258, RFC 9051 §6.3.9); their options are rows of <see cref="ListOption"/>.</summary>
internal static class List
{
    public static async ValueTask<Reply> RunAsync(ImapSession session, ImapCommand command)
    {
        if (ListParser.Parse(command, session.Limits, out var request) is { } error)
            return Reply.Bad(error);
        if (request is { IsExtended: false, IsEmptyName: true })
        {
            // §6.3.8: the empty name asks for the hierarchy delimiter and the root.
            Write(session.Writer, "LIST"u8, "\\Noselect", "");
            return command.Done();
        }

        var (mailboxes, account) = (session.Services.Mailboxes, session.User!.Id);
        var entries = await EntriesAsync(session, request).ConfigureAwait(false);
        var subscribed = request.ReturnsSubscribed ? await mailboxes.SubscriptionsAsync(account, session.Cancel).ConfigureAwait(false) : null;
        var names = ListedName.Of(entries, subscribed, request);
        for (var i = 0; i < names.Count; i++)
        {
            if (names[i].Matches)
                await AnswerAsync(session, request, names, i).ConfigureAwait(false);
        }

        return command.Done();
    }

    // What was is told of to who names it, one time by one pattern; what is, for all patterns at once.
    private static async ValueTask<IReadOnlyList<MailboxEntry>> EntriesAsync(ImapSession session, ListRequest request)
    {
        var (mailboxes, account) = (session.Services.Mailboxes, session.User!.Id);
        var entries = await mailboxes.ListAsync(account, session.Cancel).ConfigureAwait(false);
        foreach (var pattern in request.Patterns)
        {
            var past = await mailboxes.ListPastAsync(account, pattern.Text, request.ReturnsStatus, session.Cancel).ConfigureAwait(false);
            if (past.Count > 0)
                entries = [.. entries, .. past.ExceptBy(entries.Select(entry => entry.Name), entry => entry.Name)];
        }

        return entries;
    }

    private static async ValueTask AnswerAsync(ImapSession session, ListRequest request, IReadOnlyList<ListedName> names, int at)
    {
        var name = names[at];
        var meets = name.Meets(request.Selection);
        var below = Below.None;
        if (request.Has(ListSelection.RecursiveMatch) || (request.IsExtended && meets && IsLevel(name)))
            below = LookBelow(request, names, at);
        if (request.Has(ListSelection.RecursiveMatch))
        {
            // RFC 5258 §3.5: not for a child that is told of as well.
            if (!meets && below != Below.Untold)
                return;
        }
        else if (!meets || (request.IsExtended && !request.Has(ListSelection.Criteria) && IsLevel(name) && below != Below.Untold))
        {
            // RFC 5258 §3: a name that does not exist is listed only for what is below it and not listed (example 11).
            return;
        }

        var writer = session.Writer;
        Begin(writer, "LIST"u8, Attributes(session, request, name), name.Name);
        if (request.Has(ListSelection.RecursiveMatch) && below != Below.None)
            WriteChildInfo(writer, request.Selection);
        writer.Crlf();
        await writer.FlushIfFullAsync().ConfigureAwait(false);
        // RFC 5819 §2: for what meets the criteria, not for a parent of such.
        if (!meets || name.Entry is not { } entry)
            return;
        foreach (var addition in request.Additions)
            await addition(session, entry).ConfigureAwait(false);
    }

    private static bool IsLevel(ListedName name) => name.Entry is { Selectable: false };

    /// <summary>What is below a name and meets the criteria.</summary>
    private enum Below : byte
    {
        None,

        /// <summary>All of it matches the patterns, and is told of as well.</summary>
        Told,

        /// <summary>Some of it does not.</summary>
        Untold,
    }

    // Sorted: what is below a name follows it at once.
    private static Below LookBelow(ListRequest request, IReadOnlyList<ListedName> names, int at)
    {
        var below = Below.None;
        for (var i = at + 1; i < names.Count && MailboxName.IsBelow(names[i].Name, names[at].Name); i++)
        {
            if (!names[i].Meets(request.Selection))
                continue;
            if (!names[i].Matches)
                return Below.Untold;
            below = Below.Told;
        }

        return below;
    }

    /// <summary>The LIST response of SELECT (RFC 9051 §6.3.2).</summary>
    /// <param name="old">OLDNAME (§6.3.9.7): as the client named it, where that differs; null otherwise.</param>
    public static void WriteSelected(ImapSession session, MailboxEntry mailbox, string? old)
    {
        var writer = session.Writer;
        Begin(writer, "LIST"u8, Attributes(session, new(), new(mailbox.Name, mailbox, Subscribed: false, Matches: true)), mailbox.Name);
        WriteOldName(writer, old);
        writer.Crlf();
    }

    /// <summary>The LIST response of a notification (RFC 5465 §5.4, §5.5).</summary>
    /// <param name="old">OLDNAME: what it was called until now; null otherwise.</param>
    /// <param name="noAccess">The client has no right to hear of it.</param>
    public static void WriteNotice(ImapSession session, ListedName name, string? old, bool noAccess)
    {
        var attributes = Attributes(session, new() { IsExtended = true }, name);
        Begin(session.Writer, "LIST"u8, noAccess ? "\\NoAccess " + attributes : attributes, name.Name);
        WriteOldName(session.Writer, old);
        session.Writer.Crlf();
    }

    private static void WriteOldName(ImapWriter writer, string? old)
    {
        if (old is null)
            return;
        writer.Raw(" (\"OLDNAME\" ("u8);
        writer.Mailbox(old);
        writer.Raw("))"u8);
    }

    private static string Attributes(ImapSession session, ListRequest request, ListedName name)
    {
        var attributes = new StringBuilder();
        if (!name.Exists)
        {
            // RFC 5258 §3: \NonExistent says more than \Noselect, to those who know it.
            attributes.Append(request.IsExtended || session.Has(Extensions.Imap4Rev2) ? "\\NonExistent " : "\\Noselect ");
        }

        if (name.Subscribed)
            attributes.Append("\\Subscribed ");
        attributes.Append(name.Entry is { HasChildren: true } ? "\\HasChildren" : "\\HasNoChildren");
        if (name.Entry?.SpecialUse is { } use)
            attributes.Append(' ').Append(use);
        return attributes.ToString();
    }

    // childinfo-extended-item = "CHILDINFO" SP "(" list-select-base-opt-quoted *(SP list-select-base-opt-quoted) ")"
    private static void WriteChildInfo(ImapWriter writer, ListSelection selection)
    {
        writer.Raw((selection & ListSelection.Criteria) switch
        {
            ListSelection.Subscribed => " (\"CHILDINFO\" (\"SUBSCRIBED\"))"u8,
            ListSelection.SpecialUse => " (\"CHILDINFO\" (\"SPECIAL-USE\"))"u8,
            _ => " (\"CHILDINFO\" (\"SUBSCRIBED\" \"SPECIAL-USE\"))"u8,
        });
    }

    public static void Write(ImapWriter writer, ReadOnlySpan<byte> name, string attributes, string mailbox)
    {
        Begin(writer, name, attributes, mailbox);
        writer.Crlf();
    }

    private static void Begin(ImapWriter writer, ReadOnlySpan<byte> name, string attributes, string mailbox)
    {
        writer.Raw("* "u8);
        writer.Raw(name);
        writer.Raw(" ("u8);
        writer.Ascii(attributes);
        writer.Raw(") \"/\" "u8);
        writer.Mailbox(mailbox);
    }
}
