using EventMail.Domain.Mailboxes;
using EventMail.EventStore;
using EventMail.Projections.Mailboxes;
using EventMail.Protocols.Imap.Grammar;
using EventMail.Protocols.Imap.Responses;

namespace EventMail.Protocols.Imap.Commands;

/// <summary>RFC 3501 §6.3.11, UIDPLUS (RFC 4315 §3). The message streams into the content store and is never held whole.</summary>
internal static class Append
{
    /// <param name="Literal">The message's announcement.</param>
    private sealed record Target(string Mailbox, List<string> Flags, DateTimeOffset? Date, LiteralMarker Literal)
    {
        /// <summary>Known after <see cref="CheckAsync"/>.</summary>
        public MailboxRef Ref { get; set; }
    }

    public static async ValueTask<Reply> RunAsync(ImapSession session, ImapCommand command)
    {
        Target? target;
        while (!TryParse(command, out target, out var error))
        {
            if (error is not null || !command.Reader.EndsInLiteral(out var name))
                return await session.SkipLiteralsAsync().ConfigureAwait(false) ? Reply.Bad(error ?? "Missing message") : Reply.Close;
            // The mailbox's name is a literal itself.
            if (await session.ReadLiteralAsync(name).ConfigureAwait(false) is { } refused)
                return refused;
        }

        if (await CheckAsync(session, target!).ConfigureAwait(false) is { } no)
            return await session.SkipLiteralsAsync().ConfigureAwait(false) ? no : Reply.Close;
        return await TakeAsync(session, command, target!).ConfigureAwait(false);
    }

    /// <summary>What can be refused before the message is sent.</summary>
    private static async ValueTask<Reply?> CheckAsync(ImapSession session, Target target)
    {
        // RFC 7889 §4.
        if (target.Literal.Size > session.Limits.MaxMessageSize)
            return Reply.No("Message too large", "TOOBIG");
        if (target.Literal.Size == 0)
            return Reply.No("A message cannot be empty", "CANNOT");
        var (mailbox, rejection) = await session.Services.Mailboxes.LocateAsync(
            session.User!.Id, target.Mailbox, Rights.Insert, session.Cancel).ConfigureAwait(false);
        if (rejection is not null)
            return Reply.RefusedDestination(rejection);
        target.Ref = mailbox;
        return null;
    }

    private static async ValueTask<Reply> TakeAsync(ImapSession session, ImapCommand command, Target target)
    {
        await using var message = IncomingMessage.Begin(session.Services.Contents);
        if (target.Literal.Synchronizing && !await session.ContinueAsync().ConfigureAwait(false))
            return Reply.Close;
        session.Connection.Trace?.ReceivedBody(target.Literal.Size);
        var status = await command.Reader.ReadOctetsAsync(
            target.Literal.Size, octets => message.WriteAsync(octets, session.Cancel)).ConfigureAwait(false);
        if (status is not (CommandStatus.Line or CommandStatus.TooLong))
            return session.Broken(status);
        if (command.Reader.Text.Length > 0)
            return await session.SkipLiteralsAsync().ConfigureAwait(false) ? Reply.Bad("Unexpected text behind the message") : Reply.Close;

        var content = await message.CompleteAsync(mayExist: true, session.Cancel).ConfigureAwait(false);
        var outcome = CommitAsync(session, command, target, content, message.MessageId);
        // Whoever has sent more does not wait for this reply: the next message joins this one's commit. Not the first of them, which
        // may have to wait in the queue for what its mailbox and its quota are read from, while the next would pass it.
        if (outcome.IsCompleted || !session.Pending.MayOverlap(target.Ref.Key) || !session.Connection.HasBufferedInput)
        {
            var reply = await outcome.ConfigureAwait(false);
            session.Pending.Warmed(reply.Kind == ReplyKind.Ok ? target.Ref.Key : default);
            return reply;
        }

        return await session.Pending.AddAsync(command, outcome, content.Size).ConfigureAwait(false) ? Reply.Pending : Reply.Close;
    }

    // Queued before it returns, so that UIDs follow the order of the commands. Never fails: the session may have gone on meanwhile.
    private static async Task<Reply> CommitAsync(
        ImapSession session, ImapCommand command, Target target, StagedContent content, string? messageId)
    {
        try
        {
            var appended = await session.Services.Mailboxes.AppendAsync(
                target.Ref, content, target.Flags, target.Date ?? DateTimeOffset.UtcNow,
                session.User!.Actor, command.Tag, session.Cancel).ConfigureAwait(false);
            if (appended.Rejection is { } rejection)
                return Reply.RefusedDestination(rejection);
            session.Services.Log.MessageAppended(session.Connection, target.Mailbox, messageId, content.Size);
            return command.Done($"APPENDUID {appended.Value.UidValidity} {appended.Value.Uid}");
        }
        catch (Exception error)
        {
            return session.Failed(error, command.Verb.Name);
        }
    }

    // append = "APPEND" SP mailbox [SP flag-list] [SP date-time] SP literal; the text ends where the message's literal begins
    private static bool TryParse(ImapCommand command, out Target? target, out string? error)
    {
        (target, error) = (null, null);
        var arguments = command.Arguments;
        if (arguments.TrySp() && arguments.AtTrailingLiteral(out _))
            return false;
        arguments = command.Arguments;
        List<string> flags = [];
        DateTimeOffset? date = null;
        if (!arguments.ExpectSp() || !arguments.ExpectMailbox(out var mailbox) || !arguments.ExpectSp()
            || (arguments.Peek == '(' && (!arguments.ExpectFlagList(out flags) || !arguments.ExpectSp())))
        {
            error = arguments.Error;
            return false;
        }

        if (arguments.Peek == '"')
        {
            if (!arguments.ExpectDateTime(out var given) || !arguments.ExpectSp())
            {
                error = arguments.Error;
                return false;
            }

            date = given;
        }

        if (!arguments.AtTrailingLiteral(out var literal))
        {
            error = "Expected a literal";
            return false;
        }

        target = new(mailbox, flags, date, literal);
        return true;
    }
}
