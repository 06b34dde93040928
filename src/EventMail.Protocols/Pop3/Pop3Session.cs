using System.Buffers;
using System.Text;
using EventMail.Domain;
using EventMail.Domain.Mailboxes;
using EventMail.EventStore;
using EventMail.Projections;
using EventMail.Projections.Accounts;
using EventMail.Projections.Maildrops;
using EventMail.Protocols.Wire;

namespace EventMail.Protocols.Pop3;

/// <summary>
/// One client's session: what it knows and how it answers. Replies wait in the connection's output until the client has nothing
/// more to say (RFC 2449 §6.6) or much has gathered. Used by one task at a time.
/// </summary>
internal sealed class Pop3Session : IAsyncDisposable
{
    // Replies that wait for the end of a pipelined batch.
    private const int FlushThreshold = 64 * 1024;

    private bool _insideReply;
    private WatchedLogin? _login;

    public Pop3Session(MailConnection connection, Pop3Services services)
    {
        (Connection, Services) = (connection, services);
        Retrieval = new(services.Contents, services.Options);
        Log = new(services.Log, connection.Details);
        // The timestamp is an offer of APOP (RFC 1939 §7); a client that takes it up in vain may tell its user that the password is wrong.
        if (services.Authenticator.OffersSharedSecrets)
        {
            Timestamp = Sasl.Apop.Timestamp(services.Options.HostName);
        }

        Actor = Actor.ForSession("pop3", connection.Details.Remote, connection.Details.Id, connection.Details.Id, services.Node);
    }

    public MailConnection Connection { get; }

    public Pop3Services Services { get; }

    public Pop3Log Log { get; }

    public Pop3States State => Maildrop is null ? Pop3States.Authorization : Pop3States.Transaction;

    /// <summary>How long the client may be silent.</summary>
    public TimeSpan Patience =>
        Maildrop is null && Services.Options.LoginTimeout < Services.Options.IdleTimeout
            ? Services.Options.LoginTimeout
            : Services.Options.IdleTimeout;

    /// <summary>The greeting's, for APOP; null where APOP is not offered.</summary>
    public string? Timestamp { get; }

    /// <summary>USER's argument, for the PASS that must follow at once.</summary>
    public string? User { get; set; }

    /// <summary>RFC 6856 §2.1.</summary>
    public bool Utf8Mode { get; set; }

    public Actor Actor { get; private set; }

    public AccountEntry? Account { get; private set; }

    /// <summary>Not null exactly in the TRANSACTION state.</summary>
    public Maildrop? Maildrop { get; private set; }

    public Retrieval Retrieval { get; }

    public SessionTotals Totals { get; } = new();

    /// <summary>Nothing more is read from the client.</summary>
    public bool IsOver { get; private set; }

    /// <summary>Where to send replies; see <see cref="FlushIfMuchAsync"/>.</summary>
    public System.IO.Pipelines.PipeWriter Output => Connection.Output;

    // Fields, since they are structs that change.
    public MessageMarks Deleted;
    public MessageMarks Retrieved;

    public long DeletedOctets { get; set; }

    /// <summary>Commands in a row that were none.</summary>
    public int Errors { get; set; }

    public int FailedLogins { get; set; }

    public void Ok(string text) => Reply("+OK "u8, text);

    public void Err(string text) => Reply("-ERR "u8, text);

    /// <summary>Begins a multi-line reply: its first line with the CRLF. A failure before <see cref="EndLines"/> costs the connection.</summary>
    public void BeginLines(string text)
    {
        Ok(text);
        _insideReply = true;
    }

    public void EndLines()
    {
        Output.Write(".\r\n"u8);
        _insideReply = false;
    }

    /// <summary>The same for a message, whose closing line is written already.</summary>
    public void EndMessage(long octets)
    {
        _insideReply = false;
        Connection.Trace?.SentBody(octets);
    }

    /// <summary>A line of a reply that begins with no dot.</summary>
    public void Line(string text)
    {
        Write(text);
        Output.Write("\r\n"u8);
    }

    /// <summary>Counts something that is no command here and now.</summary>
    public void Rubbish(string text)
    {
        if (++Errors >= Services.Options.MaxErrors)
        {
            Log.TooManyErrors(Errors);
            Err("Too many bad commands, goodbye");
            End();
            return;
        }

        Err(text);
    }

    /// <summary>A bug or a fault of the storage: whole replies are given or none.</summary>
    public void Fail(Exception error)
    {
        Log.CommandFailed(error);
        if (_insideReply)
        {
            // Nothing may follow a reply that was broken off: a client would take it for the rest of the message.
            Connection.Abort();
            End();
            return;
        }

        Err(error switch
        {
            DamagedStreamException => $"[SYS/PERM] {Rejection.Damaged.Text}",
            TenantReadOnlyException moving => $"[SYS/TEMP] The account {moving.Reason}, try again later",
            _ => "[SYS/TEMP] Internal error, try again later",
        });
    }

    public void End() => IsOver = true;

    public async ValueTask<bool> FlushIfMuchAsync() => Output.UnflushedBytes < FlushThreshold || await Connection.FlushAsync();

    /// <summary>Finds a message that is not deleted; else replies and answers false.</summary>
    public bool TryFind(long number, out int index, out MessageRow message)
    {
        (index, message) = (-1, default);
        if (number < 1 || number > Maildrop!.Count)
        {
            Err($"No such message, only {Maildrop!.Count} in the maildrop");
            return false;
        }

        index = (int)number - 1;
        if (Deleted[index])
        {
            Err($"Message {number} is deleted");
            return false;
        }

        message = Maildrop.View[index];
        return true;
    }

    /// <summary>RFC 6856 §5: true, and the client has been told, when the message cannot be given to a client without UTF8.</summary>
    public bool RefusesForUtf8(long content)
    {
        if (!Maildrop!.NeedsUtf8(content))
        {
            return false;
        }

        Err("[UTF8] This message needs UTF-8 mode");
        return true;
    }

    public LoginContext LoginContext(string mechanism) =>
        new(Connection.Details.ClientAddress, "pop3", Actor.SessionId, mechanism, Connection.IsTls, Actor.HeadersJson);

    /// <summary>Whether what the client logged in with still counts.</summary>
    public LoginEnd LoginEnd => _login?.End ?? LoginEnd.None;

    /// <summary>AUTHORIZATION → TRANSACTION.</summary>
    public void Enter(AccountEntry account, Maildrop maildrop)
    {
        (Account, Maildrop, User) = (account, maildrop, null);
        _login = Services.Authenticator.Directory.Logins.Watch(account, Connection.Wake);
        Actor = Actor with { UserName = account.Address, Account = account.LogName };
        Connection.Facts.User = account.Address;
        Deleted = new(maildrop.Count);
        Retrieved = new(maildrop.Count);
        FailedLogins = 0;
    }

    /// <summary>Gives the maildrop back; the session can only end after it.</summary>
    public async ValueTask LeaveAsync()
    {
        _login?.Dispose();
        _login = null;
        await Retrieval.DisposeAsync();
        if (Maildrop is { } maildrop)
        {
            Maildrop = null;
            await maildrop.DisposeAsync();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await LeaveAsync();
        if (Services.Reads is { } reads)
        {
            await reads.EndAsync(Actor.SessionId);
        }
    }

    private void Reply(ReadOnlySpan<byte> status, string text)
    {
        Output.Write(status);
        Line(text);
        Connection.Trace?.Sent(Encoding.UTF8.GetBytes(Encoding.ASCII.GetString(status) + text));
    }

    private void Write(string text)
    {
        var written = Encoding.UTF8.GetBytes(text, Output.GetSpan(Encoding.UTF8.GetMaxByteCount(text.Length)));
        Output.Advance(written);
    }
}
