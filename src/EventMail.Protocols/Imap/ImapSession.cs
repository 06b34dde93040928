using System.Data.Common;
using System.Diagnostics;
using EventMail.Domain;
using EventMail.EventStore;
using EventMail.Projections.Accounts;
using EventMail.Projections.Mailboxes;
using EventMail.Protocols.Imap.Annotations;
using EventMail.Protocols.Imap.Commands;
using EventMail.Protocols.Imap.Grammar;
using EventMail.Protocols.Imap.Notifying;
using EventMail.Protocols.Imap.Responses;
using EventMail.Protocols.Imap.Selected;
using EventMail.Protocols.Wire;

namespace EventMail.Protocols.Imap;

/// <summary>
/// One client's session: reads a command, looks it up in <see cref="CommandTable"/>, runs it, tells what changed meanwhile, answers.
/// Always true: between two commands the client knows exactly <see cref="SelectedMailbox.Known"/>, and no buffer is held.
/// </summary>
internal sealed class ImapSession(MailConnection connection, ImapServices services)
{
    // RFC 9051 §7.1.5: a client that keeps failing is told BYE.
    private int _errors;
    private MetadataNotices? _metadata;
    private WatchedLogin? _login;

    public MailConnection Connection => connection;

    public ImapServices Services => services;

    public ImapLimits Limits => services.Limits;

    public ImapWriter Writer { get; } = new(connection);

    private CommandReader Reader => field ??= new(connection, Writer, services.Limits);

    /// <summary>Always empty where another command than APPEND runs.</summary>
    public PendingReplies Pending => field ??= new(this);

    public SessionUser? User { get; private set; }

    public SelectedMailbox? Selected { get; private set; }

    /// <summary>RFC 5465 §3.1: null until NOTIFY is used for the first time.</summary>
    public Notifications? Notifying { get; private set; }

    public Extensions Enabled
    {
        get;
        private set
        {
            field = value;
            Reader.Enabled = Writer.Enabled = value;
        }
    }

    public bool Has(Extensions extension) => (Enabled & extension) != 0;

    public void Enable(Extensions extensions)
    {
        // RFC 7162 §3.1: the first command that makes a client CONDSTORE-aware answers with HIGHESTMODSEQ.
        var first = (extensions & Extensions.Condstore) != 0 && !Has(Extensions.Condstore);
        Enabled |= extensions;
        if (first)
            Selected?.TellHighestModSeq(Writer);
        if (Has(Extensions.Metadata))
            _metadata ??= new(this);
    }

    /// <summary>What was notified of until now is forgotten.</summary>
    public void Notify(Notifications notifications)
    {
        Notifying?.Dispose();
        Notifying = notifications;
        if ((notifications.Request.All & (NotifyEvents.MailboxMetadataChange | NotifyEvents.ServerMetadataChange)) != 0)
            _metadata ??= new(this);
    }

    /// <summary>Set by a UID command whose answer depends on sequence numbers: no EXPUNGE before its tagged reply (RFC 7162 §3.2.10.2).</summary>
    public bool HoldExpunges { get; set; }

    public States State =>
        User is null ? States.NotAuthenticated : Selected is null ? States.Authenticated : States.Selected;

    /// <summary>session_id in logs, correlation_id in events: a connection is one session.</summary>
    public string SessionId => connection.Details.Id;

    /// <summary>A command that was begun is finished whatever happens to the connection: what it did stands in the log.</summary>
    public CancellationToken Cancel => CancellationToken.None;

    public async Task RunAsync()
    {
        ExpectLogin();
        Reader.Woken = TellPendingAsync;
        Writer.Untagged("OK"u8, "CAPABILITY " + Capabilities.Of(this), "EventMail ready");
        try
        {
            while (await NextAsync().ConfigureAwait(false))
            {
            }

            await Writer.FlushAsync().ConfigureAwait(false);
        }
        catch (Exception error)
        {
            // Where there is no command that could be answered with NO. Half a response cannot be taken back.
            var failed = Failed(error, "between commands");
            if (!Writer.InResponse && !Bye(failed.Text, failed.Code))
                await Writer.FlushAsync().ConfigureAwait(false);
        }
        finally
        {
            await Pending.EndAsync().ConfigureAwait(false);
            Reader.Clear();
            LogOut();
            if (services.Reads is { } reads)
                await reads.EndAsync(SessionId).ConfigureAwait(false);
        }
    }

    /// <summary>A message's content is about to be given to the client.</summary>
    public void NoteRead(OpenMailbox mailbox, uint uid) => services.Reads?.Note(mailbox, uid, User!.Actor);

    /// <summary>False when the session is over; what was written last is still to be sent.</summary>
    private async ValueTask<bool> NextAsync()
    {
        if (!await Pending.TellDoneAsync().ConfigureAwait(false) || (Notifying is { } news && !await news.TellAsync(idle: false).ConfigureAwait(false)))
            return false;
        var status = await Reader.ReadLineAsync(Patience).ConfigureAwait(false);
        if (status is not (CommandStatus.Line or CommandStatus.Woken) && !await Pending.TellAllAsync().ConfigureAwait(false))
            return false;
        if (!LoginCounts())
            return false;
        switch (status)
        {
            case CommandStatus.Line:
                return await AnswerAsync().ConfigureAwait(false) && Writer.ClientThere;
            case CommandStatus.TooLong:
                return await RefuseTooLongAsync().ConfigureAwait(false);
            case CommandStatus.Idle when Environment.TickCount64 >= Reader.Cutoff:
                return Bye("No login in time");
            case CommandStatus.Idle:
                services.Log.IdleTimeout(connection, Patience);
                return Bye("Idle timeout");
            case CommandStatus.TimedOut:
                return Bye("Command not completed in time");
            case CommandStatus.Stopping:
                return Bye("Server shutting down", "UNAVAILABLE");
            case CommandStatus.Woken:
                return true;
            default:
                return Broken(status).Kind != ReplyKind.Close;
        }
    }

    // In the middle of a command: a mailbox that is gone ends the session behind it.
    private async ValueTask TellPendingAsync()
    {
        if (Pending.IsEmpty || Selected is { Mailbox.MayRead: false })
            return;
        await Pending.TellDoneAsync().ConfigureAwait(false);
        await Writer.FlushAsync().ConfigureAwait(false);
    }

    /// <summary>How long a client may be silent now.</summary>
    private TimeSpan Patience
    {
        get
        {
            if (User is not null)
                return Limits.IdleTimeout;
            var left = TimeSpan.FromMilliseconds(Math.Max(0, Reader.Cutoff - Environment.TickCount64));
            return left < Limits.LoginTimeout ? left : Limits.LoginTimeout;
        }
    }

    private async ValueTask<bool> RefuseTooLongAsync()
    {
        var tag = CommandLine.TryParse(Reader.Text, out var line) ? line.Tag : null;
        if (line.Verb is { Secret: true })
            Reader.HoldsSecret();
        if (!await SkipLiteralsAsync().ConfigureAwait(false))
            return false;
        if (tag is null)
            Writer.Untagged("BAD"u8, null, "Command line too long");
        else
            Writer.Tagged(tag, TooLong);
        return CountError();
    }

    private const string TooBig = "TOOBIG";

    private static Reply TooLong => Reply.Bad("Command line too long", TooBig);

    private async ValueTask<bool> AnswerAsync()
    {
        connection.Trace?.Received(Reader.Text, isCommand: Reader.Text.Contains((byte)' '));
        var understood = CommandLine.TryParse(Reader.Text, out var line);
        if (line.Verb is not { Overlaps: true } && !await Pending.TellAllAsync().ConfigureAwait(false))
            return false;
        if (!understood)
        {
            // RFC 3501 §2.2.1: without a tag there is nothing to answer to.
            Writer.Untagged("BAD"u8, null, "Expected a tag and a command");
            return await SkipLiteralsAsync().ConfigureAwait(false) && CountError();
        }

        var started = Stopwatch.GetTimestamp();
        using var span = ProtocolSpans.Begin("imap command");
        span?.SetTag("command", line.Name);
        HoldExpunges = false;
        var reply = await ExecuteAsync(line).ConfigureAwait(false);
        if (reply.Kind == ReplyKind.Close)
            return false;
        if (reply.Kind != ReplyKind.Pending || connection.IsStopping)
        {
            if (!await Pending.TellAllAsync().ConfigureAwait(false))
                return false;
        }

        if (reply.Kind == ReplyKind.Pending)
        {
            _errors = 0;
            return StillWanted();
        }

        if (line.Verb is { Sync: not Sync.None and var sync } && reply.Kind != ReplyKind.Sent
            && !await SyncAsync(HoldExpunges ? Sync.WithoutExpunges : sync).ConfigureAwait(false))
            return false;
        if (reply.Kind != ReplyKind.Sent)
            Selected?.TellHeldModSeq(Writer);
        services.Log.CommandDone(connection, line.Name, Selected?.Mailbox.Name, reply.Kind, Stopwatch.GetElapsedTime(started));
        if (reply.Kind != ReplyKind.Sent)
            Writer.Tagged(line.Tag, reply);
        await Writer.FlushIfFullAsync().ConfigureAwait(false);
        if (reply.Kind == ReplyKind.Bad || Login.HasFailed(reply))
            return CountError() && StillWanted();
        _errors = 0;
        return StillWanted();
    }

    private async ValueTask<Reply> ExecuteAsync(CommandLine line)
    {
        if (line.Verb is not { } verb)
            return await SkipLiteralsAsync().ConfigureAwait(false) ? Reply.Bad("Unknown command") : Reply.Close;
        if ((verb.In & State) == 0)
        {
            var reason = verb.In == States.NotAuthenticated ? "Already logged in" : User is null ? "Log in first" : "Select a mailbox first";
            return await SkipLiteralsAsync().ConfigureAwait(false) ? Reply.Bad(reason) : Reply.Close;
        }

        if (Has(Extensions.UidOnly) && CommandTable.NeedsNumbers(verb))
            return await SkipLiteralsAsync().ConfigureAwait(false) ? Reply.UidRequired : Reply.Close;

        try
        {
            if (verb.Secret)
                Reader.HoldsSecret();
            if (verb.Literals == Literals.Inline && await ReadLiteralsAsync(verb).ConfigureAwait(false) is { } refused)
                return refused.Code == TooBig && refused != Reply.ToBeWaitedWith ? verb.TooLarge ?? refused : refused;
            if (verb.Limited && !await WithinRateAsync().ConfigureAwait(false))
                return await SkipLiteralsAsync().ConfigureAwait(false) ? Reply.No("Too many commands, slow down", "LIMIT") : Reply.Close;
            // A right that was withdrawn is not used once more.
            if (verb.In == States.Selected && Selected!.Mailbox is { MayRead: false, Deleted: false } && !await SyncAsync(Sync.WithoutExpunges).ConfigureAwait(false))
                return Reply.Close;
            if (verb.Fresh && !await SyncAsync(Sync.WithoutExpunges).ConfigureAwait(false))
                return Reply.Close;
            return await verb.Run(this, new(line.Tag, verb, Reader, line.ArgumentsAt)).ConfigureAwait(false);
        }
        catch (Exception error)
        {
            var failed = Failed(error, line.Name);
            if (Writer.InResponse)
            {
                // Half a response cannot be taken back, and nothing that follows it would be understood.
                connection.Abort();
                return Reply.Close;
            }

            // A literal that the command did not come to read must not be the next commands.
            return await SkipLiteralsAsync().ConfigureAwait(false) ? failed : Reply.Close;
        }
    }

    /// <summary>Logs a fault and makes a reply of it.</summary>
    public Reply Failed(Exception error, string command)
    {
        services.Log.CommandFailed(error, connection, command);
        return error switch
        {
            _ when FullDisk.IsTold(error) => Reply.No("The server has no room left, try again later", "UNAVAILABLE"),
            TenantReadOnlyException moving => Reply.No($"The account {moving.Reason}, try again later", "UNAVAILABLE"),
            DbException or TimeoutException => Reply.No("Try again later", "UNAVAILABLE"),
            DamagedStreamException => Reply.Refused(Rejection.Damaged),
            ContentMissingException when Selected is { Mailbox.IsPast: true } => Reply.ContentGone,
            // RFC 5530 §3: what the log says was stored is not there.
            ContentMissingException => Reply.No("A message's content is missing", "CORRUPTION"),
            ContentDamagedException => Reply.No("A message's content is damaged", "CORRUPTION"),
            ContentLockedException => Reply.No("The key of a message's content is missing", "UNAVAILABLE"),
            _ => Reply.No("Internal error", "SERVERBUG"),
        };
    }

    /// <summary>Completes the command. Not null when that cannot be.</summary>
    public async ValueTask<Reply?> ReadLiteralsAsync(Verb verb)
    {
        while (Reader.EndsInLiteral(out var literal))
        {
            if (await ReadLiteralAsync(literal).ConfigureAwait(false) is { } refused)
                return refused;
        }

        return !verb.Binary && Reader.Text.Contains((byte)0) ? Reply.Bad("NUL is not allowed") : null;
    }

    /// <summary>Reads the literal that the command's text ends in, and the rest of its line.</summary>
    public async ValueTask<Reply?> ReadLiteralAsync(LiteralMarker literal)
    {
        if (literal.Hastens(Limits.NonSynchronizingLiterals))
            return await SkipLiteralsAsync().ConfigureAwait(false) ? Reply.ToBeWaitedWith : Reply.Close;
        var limit = User is null ? Limits.MaxCommandSizeBeforeLogin : Limits.MaxCommandSize;
        if (literal.Size > Limits.MaxLiteral || Reader.Text.Length + literal.Size > limit)
        {
            // RFC 7888 §4: a client that does not wait has sent it already; one that waits is told before it does.
            return await SkipLiteralsAsync().ConfigureAwait(false) ? Reply.Bad("Literal too large", TooBig) : Reply.Close;
        }

        if (literal.Synchronizing && !await ContinueAsync().ConfigureAwait(false))
            return Reply.Close;
        connection.Trace?.ReceivedBody(literal.Size);
        var status = await Reader.ReadLiteralAsync((int)literal.Size).ConfigureAwait(false);
        if (status == CommandStatus.Line)
            status = await Reader.ReadRestOfLineAsync().ConfigureAwait(false);
        if (status == CommandStatus.TooLong)
            return await SkipLiteralsAsync().ConfigureAwait(false) ? TooLong : Reply.Close;
        return status == CommandStatus.Line ? null : Broken(status);
    }

    /// <summary>
    /// Reads away what a client that does not wait (LITERAL+) sends behind a command that is refused already. False when the
    /// connection is over.
    /// </summary>
    public async ValueTask<bool> SkipLiteralsAsync()
    {
        while (Reader.EndsInLiteral(out var literal) && !literal.Synchronizing)
        {
            // RFC 7888 §4: to close is the other way not to take it for commands.
            if (literal.Size > (User is null ? Limits.MaxSkippedBeforeLogin : Limits.MaxSkipped))
                return Bye("Literal too large", "TOOBIG");
            var status = await Reader.ReadOctetsAsync(literal.Size, null).ConfigureAwait(false);
            if (status is not (CommandStatus.Line or CommandStatus.TooLong))
                return Broken(status).Kind != ReplyKind.Close;
        }

        return true;
    }

    /// <summary>command-continuation-request (RFC 3501 §7.5). False when the session is over.</summary>
    public async ValueTask<bool> ContinueAsync(string text = "OK")
    {
        if (!await Pending.TellAllAsync().ConfigureAwait(false))
            return false;
        Writer.Raw("+ "u8);
        Writer.Ascii(text);
        Writer.Crlf();
        return await Writer.FlushAsync().ConfigureAwait(false);
    }

    /// <summary>The client stopped in the middle of a command.</summary>
    public Reply Broken(CommandStatus status)
    {
        if (status == CommandStatus.TimedOut)
            Bye("Command not completed in time");
        else if (status == CommandStatus.Endless)
            Bye("Command line too long", "TOOBIG");
        else if (connection.IsInputCorrupt)
            Bye("Not compressed data");
        return Reply.Close;
    }

    /// <summary>False when the mailbox is gone, and the session with it.</summary>
    /// <param name="asked">The client asks for it: it is told whatever it wants to be notified of.</param>
    public async ValueTask<bool> SyncAsync(Sync sync, bool asked = false)
    {
        if (_metadata is not null)
            await _metadata.TellAsync().ConfigureAwait(false);
        if (Selected is null)
            return true;
        // RFC 2180 §3.3: nothing that the session could still do makes sense. Dovecot ends it too.
        if (Selected.Mailbox.Deleted)
            return Bye("Selected mailbox was deleted");
        // RFC 4314 §5.1.1.
        if (!Selected.Mailbox.MayRead)
            return Bye("The selected mailbox may not be read any more", "NOPERM");
        if (!asked && Selected.StaysAsItWas)
            return true;
        await Selected.SyncAsync(Writer, expunges: sync == Sync.Everything).ConfigureAwait(false);
        return true;
    }

    /// <summary>False when the login counts no more, and the session is over.</summary>
    public bool LoginCounts() => _login?.End switch
    {
        null or LoginEnd.None => true,
        // RFC 5530 §3
        LoginEnd.Disabled => Bye("Account disabled", "CONTACTADMIN"),
        _ => Bye("The account's password has changed: log in again"),
    };

    /// <summary>"* BYE"; always false.</summary>
    public bool Bye(string text, string? code = null)
    {
        Writer.Untagged("BYE"u8, code, text);
        return false;
    }

    public void LogIn(SessionUser user)
    {
        User = user;
        _login = services.Authenticator.Directory.Logins.Watch(user.Account, Connection.Wake);
        Connection.Facts.User = user.Account.Address;
        Reader.Cutoff = long.MaxValue;
    }

    /// <summary>Everything that the session has learnt and was told since its login is forgotten (RFC 8437 §4.1).</summary>
    public void LogOut()
    {
        Deselect();
        Notifying?.Dispose();
        Notifying = null;
        _metadata?.Dispose();
        _metadata = null;
        Enabled = Extensions.None;
        if (User is not null)
            services.SessionsPerUser.Leave(User.Account.Account);
        _login?.Dispose();
        _login = null;
        User = null;
        Connection.Facts.User = null;
        ExpectLogin();
    }

    private void ExpectLogin() => Reader.Cutoff = Environment.TickCount64 + (long)Limits.LoginDeadline.TotalMilliseconds;

    public void Select(SelectedMailbox mailbox)
    {
        Deselect();
        Selected = mailbox;
        Notifying?.OnSelect(mailbox);
    }

    public void Deselect()
    {
        if (Selected is not null)
            Notifying?.OnDeselect(Selected);
        Selected?.Dispose();
        Selected = null;
    }

    private bool StillWanted() => !connection.IsStopping || Bye("Server shutting down", "UNAVAILABLE");

    private bool CountError()
    {
        if (++_errors < Limits.MaxErrors)
            return true;
        services.Log.TooManyErrors(connection, _errors);
        return Bye("Too many errors");
    }

    // Slower, not broken: a client that synchronises a large mailbox sends many commands and means no harm.
    private async ValueTask<bool> WithinRateAsync()
    {
        for (var seconds = 0; !Take(); seconds++)
        {
            if (seconds == 60 || connection.IsStopping)
                return false;
            if (seconds == 0)
                services.Log.RateLimited(connection, User?.Account.Address);
            await TellPendingAsync().ConfigureAwait(false);
            await Writer.FlushAsync().ConfigureAwait(false);
            await Task.Delay(TimeSpan.FromSeconds(1), Cancel).ConfigureAwait(false);
        }

        return true;

        bool Take() => services.RateLimiter is not { } limiter || (User is null
            ? limiter.TryTake(connection.Details.ClientAddress)
            : limiter.TryTake(connection.Details.ClientAddress, User.Id));
    }
}
