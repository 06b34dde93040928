using EventMail.Domain.Mailboxes;
using EventMail.Projections.Mailboxes;
using EventMail.Protocols.Imap.Grammar;
using EventMail.Protocols.Imap.Responses;
using EventMail.Protocols.Imap.Searching;

namespace EventMail.Protocols.Imap.Commands;

/// <summary>
/// ESEARCH (RFC 7377): one search over many mailboxes. They are opened one after the other, and each is answered before the next.
/// </summary>
internal static class Esearch
{
    private static readonly MailboxFilter[] SelectedAlone = [new(MailboxFilterKind.Selected, [])];

    public static async ValueTask<Reply> RunAsync(ImapSession session, ImapCommand command)
    {
        var filters = await SavedFilters.ForAsync(session, command).ConfigureAwait(false);
        if (Parse(session, command, filters, out var sources, out var program) is { } refused)
            return Search.Unsaved(session, program, refused);
        if (program.HasNumbers && session.Has(Extensions.UidOnly))
            return Reply.UidRequired;
        if (program.TellsModSeq)
            session.Enable(Extensions.Condstore);
        session.HoldExpunges = program.HasNumbers;
        var mailboxes = await ResolveAsync(session, sources).ConfigureAwait(false);
        if (mailboxes.Count > session.Limits.MaxSearchMailboxes)
            return Reply.No("Too many mailboxes for one search", "LIMIT");
        var messages = mailboxes.Sum(mailbox => mailbox.Messages);
        // One UID would not tell where several mailboxes were left.
        if (MessageLimit.Exceeds(session, messages))
            return Search.Unsaved(session, program, MessageLimit.TooMany(session));
        var progress = new SearchProgress(session, command.Tag, messages);
        foreach (var mailbox in mailboxes)
        {
            var reply = mailbox.Id == session.Selected?.Mailbox.Key.Id
                ? await Search.AnswerAsync(session, command, program, progress, Named(mailbox)).ConfigureAwait(false)
                : await SearchAsync(session, command, program, progress, mailbox).ConfigureAwait(false);
            if (reply is { } ended)
                return Search.Unsaved(session, program, ended);
        }

        if (program.Return.Has(ReturnItems.Update) && mailboxes.All(mailbox => mailbox.Id != session.Selected!.Mailbox.Key.Id))
            SearchUpdates.Refuse(session.Writer, command.Tag);
        return command.Done();
    }

    private static SearchedMailbox Named(MailboxEntry mailbox) => new(mailbox.Name, mailbox.UidValidity);

    private static async ValueTask<Reply?> SearchAsync(
        ImapSession session, ImapCommand command, SearchProgram program, SearchProgress progress, MailboxEntry mailbox)
    {
        var opened = await session.Services.Mailboxes.OpenAsync(session.User!.Id, mailbox.Name, session.Cancel).ConfigureAwait(false);
        // Deleted since it was listed.
        if (opened.Rejection is not null)
            return null;
        using var open = opened.Value!;
        var context = new SearchContext(open.View, null, UidSet.Empty);
        var found = await SearchCollector.FindAsync(session, context, program, progress).ConfigureAwait(false);
        if (progress.GivenUp is { } reply)
            return reply;
        // §2.1: "An ESEARCH response MUST NOT be returned for mailboxes that contain no matching messages."
        if (found.Any)
            await new SearchResponse(session.Writer, found, byUid: true, Named(mailbox)).WriteAsync(command.Tag, program.Return).ConfigureAwait(false);
        return await session.Writer.FlushIfFullAsync().ConfigureAwait(false) ? null : Reply.Close;
    }

    private static async ValueTask<List<MailboxEntry>> ResolveAsync(ImapSession session, IReadOnlyList<MailboxFilter> sources)
    {
        IReadOnlyList<string> subscriptions = sources.Any(source => source.Kind == MailboxFilterKind.Subscribed)
            ? await session.Services.Mailboxes.SubscriptionsAsync(session.User!.Id, session.Cancel).ConfigureAwait(false)
            : [];
        var subscribed = subscriptions.ToHashSet(StringComparer.Ordinal);
        var selected = session.Selected?.Mailbox.Key.Id;
        var all = await session.Services.Mailboxes.ListAsync(session.User!.Id, session.Cancel).ConfigureAwait(false);
        // However many sources name a mailbox, it is one. Names that are nobody's are passed over (§2.2).
        List<MailboxEntry> found =
            [.. all.Where(mailbox => mailbox.Selectable && sources.Any(source => source.Matches(mailbox, selected, subscribed)))];
        var listed = all.Select(mailbox => mailbox.Name).ToHashSet(StringComparer.Ordinal);
        // What was is listed for who names a time of it, and what is selected is searched though it is not listed.
        foreach (var subtree in sources.Where(source => source.Kind is MailboxFilterKind.Subtree or MailboxFilterKind.SubtreeOne))
        {
            foreach (var name in subtree.Names.Where(name => name.Contains(ListPattern.Separator)))
            {
                var past = await session.Services.Mailboxes.ListPastAsync(session.User!.Id, $"{name}/*", counts: true, session.Cancel).ConfigureAwait(false);
                found.AddRange(past.Where(mailbox => mailbox.Selectable && subtree.Matches(mailbox, selected, subscribed) && listed.Add(mailbox.Name)));
            }
        }

        IEnumerable<string> named = sources.SelectMany(source => source.Names);
        if (sources.Any(source => source.Kind == MailboxFilterKind.Selected))
            named = named.Append(session.Selected!.Mailbox.Name);
        foreach (var name in named.Where(listed.Add))
        {
            // §2.2: one that is named needs no right to be listed.
            var entry = await session.Services.Mailboxes.FindAsync(session.User!.Id, name, session.Cancel).ConfigureAwait(false);
            if (entry.Value is { } mailbox)
                found.Add(mailbox);
        }

        return found;
    }

    // esearch = "ESEARCH" [SP "IN" SP "(" source-mbox ")"] [SP search-return-opts] SP search-program
    private static Reply? Parse(
        ImapSession session, ImapCommand command, SavedFilters filters, out IReadOnlyList<MailboxFilter> sources, out SearchProgram program)
    {
        program = SearchProgram.None;
        sources = SelectedAlone;
        var arguments = command.Arguments;
        var ahead = arguments;
        if (ahead.TrySp() && ahead.TryWord("IN"u8))
        {
            if (!ExpectSources(ref ahead, out sources))
                return Reply.Bad(ahead.Error!);
            arguments = ahead;
        }

        var parser = new SearchParser(arguments, session, filters);
        var understood = parser.TryParse(out program);
        if (!understood)
            return parser.Refusal;
        // §2.1: without result options it is ALL.
        if (!program.Return.IsExtended)
            program = program with { Return = new(ReturnItems.All, default) };
        var alone = sources.All(source => source.Kind == MailboxFilterKind.Selected);
        if (session.Selected is null && sources.Any(source => source.Kind == MailboxFilterKind.Selected))
            return Reply.Bad("No mailbox is selected");
        if (program.Return.Has(ReturnItems.Save) && !alone)
            return Reply.Bad("SAVE is for the selected mailbox alone");
        if (program.Return.Has(ReturnItems.Update) && session.Selected is null)
            return Reply.Bad("UPDATE needs a selected mailbox");
        if (program.Return.Has(ReturnItems.Update) && session.Selected!.Updates.Has(command.Tag))
            return Reply.Bad("Tag reuse");
        return null;
    }

    // source-mbox = filter-mailboxes *(SP filter-mailboxes); there are no scope-options.
    private static bool ExpectSources(ref CommandParser parser, out IReadOnlyList<MailboxFilter> sources)
    {
        var found = new List<MailboxFilter>();
        sources = found;
        if (!parser.ExpectSp() || !parser.ExpectByte('('))
            return false;
        do
        {
            if (!parser.ExpectMailboxFilter(out var source))
                return false;
            found.Add(source);
        }
        while (parser.TrySp());
        return parser.ExpectByte(')');
    }
}
