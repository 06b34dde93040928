using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using EventMail.Projections;
using EventMail.Projections.Accounts;
using EventMail.Protocols.Smtp.Faults;
using EventMail.Protocols.Smtp.Syntax;
using EventMail.Protocols.Wire;

namespace EventMail.Protocols.Smtp;

/// <summary>
/// One client's dialogue: reads lines, looks the verb up in <see cref="SmtpVerbs"/>, runs it, sends its reply. Replies to
/// pipelined commands go out together (RFC 2920 §3.2).
/// </summary>
internal sealed class SmtpSession
{
    private readonly Line _line = new();
    private readonly long _started = Environment.TickCount64;
    private long? _stopSeen;
    private int _argumentStart;
    private int _errors;
    private bool _declined;
    private long _discarded;
    private SmtpVerb? _verb;
    private Actor? _actor;

    public SmtpSession(MailConnection connection, SmtpServices services, CancellationToken stopping)
    {
        (Connection, Services, Stopping) = (connection, services, stopping);
        Id = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8));
        ClientIp = connection.Details.ClientAddress.ToString();
        connection.LineTimeout = services.Limits.CommandTimeout;
    }

    public MailConnection Connection { get; }

    public SmtpServices Services { get; }

    public SmtpRole Role => Services.Role;

    /// <summary>Fires when the server stops.</summary>
    public CancellationToken Stopping { get; }

    /// <summary>session_id in logs and events.</summary>
    public string Id { get; }

    public string ConnectionId => Connection.Details.Id;

    public string ClientIp { get; }

    /// <summary>The client greeted with EHLO or LHLO.</summary>
    public bool IsEsmtp { get; private set; }

    /// <summary>What the client calls itself; empty until it has greeted.</summary>
    public string GreetingName { get; private set; } = "";

    public SmtpTransaction? Transaction { get; private set; }

    /// <summary>MAIL commands so far.</summary>
    public int Transactions { get; private set; }

    public int UnknownRecipients { get; set; }

    /// <summary>What follows the verb, without the blank between.</summary>
    public ReadOnlySpan<byte> Arguments => _line.Span[_argumentStart..];

    public SmtpStates State =>
        GreetingName.Length == 0 ? SmtpStates.Start
        : Transaction is null ? SmtpStates.Ready
        : Transaction.Chunks is not null || Transaction.Failed ? SmtpStates.Chunks
        : Transaction.Recipients.Count > 0 ? SmtpStates.Rcpt
        : SmtpStates.Mail;

    /// <summary>How long to wait for the next bytes, within the session's whole time and within what is left when the server stops.</summary>
    public TimeSpan Patience(TimeSpan timeout)
    {
        timeout = Least(timeout, Services.Limits.MaxSessionTime - Since(_started));
        if (Connection.IsStopping)
            timeout = Least(timeout, Least(Services.Limits.StopSilence, Services.Limits.StopTime - Since(StopSeen)));
        return timeout < TimeSpan.Zero ? TimeSpan.Zero : timeout;
    }

    /// <summary>What a client that never pauses is told when its time is over; null while it is not.</summary>
    public SmtpReply? Overdue =>
        Connection.IsStopping && Since(StopSeen) >= Services.Limits.StopTime ? SmtpReplies.ShuttingDown
        : Since(_started) >= Services.Limits.MaxSessionTime ? SmtpReplies.SessionTooLong
        : null;

    /// <summary>What a client is told that was silent for longer than <see cref="Patience"/>.</summary>
    public SmtpReply TooLate => Overdue ?? (Connection.IsStopping ? SmtpReplies.ShuttingDown : SmtpReplies.IdleTooLong);

    // When the session first looked: at once, since a stop ends every wait.
    private long StopSeen => _stopSeen ??= Environment.TickCount64;

    private static TimeSpan Since(long moment) => TimeSpan.FromMilliseconds(Environment.TickCount64 - moment);

    private static TimeSpan Least(TimeSpan a, TimeSpan b) => a < b ? a : b;

    public async Task RunAsync()
    {
        try
        {
            if (!await GreetAsync())
                return;
            while (await NextLineAsync() is { } status)
            {
                var reply = status switch
                {
                    LineStatus.Line => await AnswerAsync(),
                    LineStatus.TooLong => Discard(_line.Dropped) ?? SmtpReplies.LineTooLong,
                    LineStatus.TimedOut => TooLate,
                    _ => null,
                };
                if (status == LineStatus.Closed || !await ReplyAsync(reply))
                    break;
            }
        }
        finally
        {
            await ResetAsync();
        }
    }

    // False when the session is over.
    private async ValueTask<bool> GreetAsync()
    {
        if (await FaultPoints.AtConnectAsync(this) is { } fault)
        {
            _declined = true;
            return fault.Reply is { } refusal && await ReplyAsync(refusal);
        }
        Send(Services.Greeting);
        return true;
    }

    /// <summary>Writes a reply; it is sent with the next flush.</summary>
    public void Send(SmtpReply reply) => Send(reply.Bytes.Span);

    public void Send(ReadOnlySpan<byte> lines)
    {
        Connection.Output.Write(lines);
        Connection.Trace?.Sent(lines);
    }

    public void Greeted(string name, bool extended) => (GreetingName, IsEsmtp) = (name, extended);

    public void BeginTransaction(SmtpPath sender, MailParameters parameters)
    {
        Transaction = new(string.Create(null, $"{Id}.{++Transactions}"), sender, parameters);
        Connection.Facts.BeginEnvelope(sender.Mailbox);
    }

    /// <summary>A message came through: earlier errors are forgiven.</summary>
    public void Delivered() => (_errors, _discarded) = (0, 0);

    /// <summary>Counts what is read off the wire and goes nowhere.</summary>
    /// <returns>What the client is told when it was too much; null while it is not.</returns>
    public SmtpReply? Discard(long octets)
    {
        // Of a size that the client names the sum must not overflow.
        _discarded = Math.Min(_discarded, Services.Limits.MaxDiscarded) + Math.Min(octets, Services.Limits.MaxDiscarded + 1);
        return _discarded > Services.Limits.MaxDiscarded ? SmtpReplies.TooMuchDiscarded : null;
    }

    /// <summary>Ends the transaction, whatever its state (RSET, EHLO, the end of a message).</summary>
    public async ValueTask ResetAsync()
    {
        var ended = Transaction;
        Transaction = null;
        Connection.Facts.EndEnvelope();
        if (ended?.Chunks is { } chunks)
            await chunks.DisposeAsync();
        if (ended is not null)
            await ended.Admission.DisposeAsync();
    }

    /// <summary>All that the client said in the clear is forgotten (RFC 3207 §4.2).</summary>
    public async ValueTask ForgetAsync()
    {
        await ResetAsync();
        Greeted("", false);
        (Account, _actor, Connection.Facts.User) = (null, null, null);
    }

    /// <summary>Who has logged in.</summary>
    public AccountEntry? Account { get; private set; }

    public int FailedLogins { get; set; }

    public LoginContext LoginContext(string mechanism) =>
        new(Connection.Details.ClientAddress, "smtp", Id, mechanism, Connection.IsTls, Actor.HeadersJson);

    public void LogIn(AccountEntry account) =>
        (Account, _actor, FailedLogins, Connection.Facts.User) = (account, Actor with { UserName = account.Address, Account = account.LogName }, 0, account.Address);

    /// <summary>The account, or a stranger at this address: who causes what the session writes into the log.</summary>
    public Actor Actor =>
        _actor ??= Actor.ForSession(Role.Name, Connection.Details.Remote, ConnectionId, Id, Services.Node);

    /// <summary>The transaction as it stands: its message begins now, or another recipient is asked for.</summary>
    public SmtpEnvelope Envelope(SmtpTransaction transaction) => new()
    {
        Id = transaction.Id,
        Client = new(Connection.Details.ClientAddress, Connection.Details.Remote.Port),
        ClientName = GreetingName,
        IsExtended = IsEsmtp,
        Role = Role,
        Cipher = Connection.Ssl?.NegotiatedCipherSuite,
        ReversePath = transaction.Sender,
        Parameters = transaction.Parameters,
        Recipients = transaction.Recipients,
        Admission = transaction.Admission,
        Received = Services.Clock.GetLocalNow(),
        Hostname = Services.Hostname,
        Actor = Actor,
        Account = Account?.Account,
        MaxPriority = Services.Limits.MaxPriority,
    };

    /// <summary>The client is gone, or cannot be understood any more: nothing more is read.</summary>
    public void End() => IsOver = true;

    public bool IsOver { get; private set; }

    // Null when the client is gone.
    private async ValueTask<LineStatus?> NextLineAsync()
    {
        var limit = Services.Limits.MaxCommandLength;
        if (Connection.TryReadLine(_line, limit, out var status))
            return status;
        // Nothing whole is waiting: now the replies go out.
        if (!await Connection.FlushAsync())
            return null;
        return await Connection.ReadLineAsync(_line, limit, Patience(Services.Limits.IdleTimeout));
    }

    private async ValueTask<SmtpReply?> AnswerAsync()
    {
        _verb = null;
        if (RefuseLine() is { } refusal)
            return refusal;
        try
        {
            return await WithinRateAsync() ? await _verb!.Run(this) : SmtpReplies.TooManyCommands;
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            // The store cannot be reached, or a fault of ours: the command fails, the server goes on. In the middle of a message
            // nobody can tell where the next command begins.
            Services.Log.CommandFailed(e, ConnectionId, Id, ClientIp, _verb!.Name);
            if (_verb.ReadsContent)
                End();
            return FullDisk.IsTold(e) ? SmtpReplies.NoStorage : SmtpReplies.LocalError;
        }
    }

    private ValueTask<bool> WithinRateAsync() => Services.RateLimiter is not { } limiter ? new(true) : limiter.TakeAsync(
        Connection, Account?.Account, () => Services.Log.RateLimited(ConnectionId, Id, ClientIp), CancellationToken.None);

    // Null when the line is a command that may run now; _verb is it.
    private SmtpReply? RefuseLine()
    {
        var line = _line.Span;
        var end = line.IndexOf((byte)' ');
        var name = end < 0 ? line : line[..end];
        var verb = SmtpVerbs.Find(name);
        Connection.Trace?.Received(line, isCommand: verb is not null);
        if (!_line.EndedWithCrLf && Services.Limits.BareLineEnds == BareLineEnds.Refuse)
            return SmtpReplies.BareLineFeed;
        if (SmtpChars.HasControl(line))
            return SmtpReplies.ControlCharacter;

        _argumentStart = end < 0 ? line.Length : end + 1;
        _verb = verb;
        if (_verb is null)
            return SmtpVerbs.IsHttp(name) ? SmtpReplies.NotHttp : SmtpReplies.UnknownCommand;
        Services.Log.CommandReceived(ConnectionId, Id, ClientIp, _verb.Name);
        if (!Role.IsOneOf(_verb.Roles))
            return _verb.Elsewhere;
        // RFC 5321 §3.1: behind a refusal instead of a greeting comes QUIT.
        if (_declined && _verb.Name != "QUIT")
            return SmtpReplies.OnlyQuit;
        if ((_verb.Allowed & State) == 0)
            return OutOfOrder(_verb);
        if (_verb.NeedsLogin && Role.NeedsLogin && Account is null)
            return Connection.MaySendPassword ? SmtpReplies.AuthRequired : SmtpReplies.TlsFirst;
        return !_verb.TakesArguments && !Arguments.Trim((byte)' ').IsEmpty ? SmtpReplies.NoArguments : null;
    }

    private SmtpReply OutOfOrder(SmtpVerb verb) => State switch
    {
        SmtpStates.Start => Role.SayHello,
        SmtpStates.Chunks => Transaction!.Failed ? SmtpReplies.TransactionFailed : SmtpReplies.NotBetweenChunks,
        _ => verb.OutOfOrder,
    };

    // False when the session is over.
    private async ValueTask<bool> ReplyAsync(SmtpReply? reply)
    {
        if (reply is not null)
        {
            Send(reply);
            if (reply.Code >= 400)
                Services.Log.CommandRefused(ConnectionId, Id, ClientIp, _verb?.Name ?? "?", reply.Line);
            if (reply.IsClientError && ++_errors >= Services.Limits.MaxErrors)
                return await LeaveAsync(SmtpReplies.TooManyErrors);
            if (reply.Closes)
                return await LeaveAsync(null);
        }

        if (Transaction is null && Connection.IsStopping)
            return await LeaveAsync(SmtpReplies.ShuttingDown);
        if (Overdue is { } overdue && (Transaction is null || Connection.IsStopping))
            return await LeaveAsync(overdue);
        return !IsOver || await LeaveAsync(null);
    }

    private async ValueTask<bool> LeaveAsync(SmtpReply? reply)
    {
        if (reply is not null)
        {
            Send(reply);
            Services.Log.SessionEnded(ConnectionId, Id, ClientIp, reply.Line);
        }

        if (await Connection.FlushAsync())
            await Connection.DrainAsync();
        return false;
    }
}
