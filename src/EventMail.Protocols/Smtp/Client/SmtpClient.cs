using System.Buffers;
using EventMail.Domain.Deliveries;

namespace EventMail.Protocols.Smtp.Client;

/// <summary>
/// The client's side of SMTP (RFC 5321): one connection, many transactions, one after the other. Not thread-safe.
/// Invariants: a recipient is Delivered only by a 2xx that was read behind the end of its message; whatever is read is bounded in
/// size and time; nothing that came in the clear is believed inside TLS.
/// </summary>
public sealed class SmtpClient : IAsyncDisposable
{
    private readonly ClientOptions _options;
    private readonly HashSet<string> _domains = new(StringComparer.OrdinalIgnoreCase);

    internal SmtpClient(RemoteHost host, ClientOptions options, ClientWire wire)
    {
        (Host, _options, Wire) = (host, options, wire);
    }

    public RemoteHost Host { get; }

    /// <summary>What the host calls itself in its reply to EHLO: when that is our name, we talk to ourselves.</summary>
    public string PeerName { get; internal set; } = "";

    public PeerExtensions Extensions { get; internal set; } = PeerExtensions.None;

    /// <summary>Null: in the clear.</summary>
    public DeliveryTls? Tls { get; internal set; }

    /// <summary>Why there is no TLS although it was tried, or why the certificate was not verified although that was not asked for; null otherwise.</summary>
    public string? TlsProblem { get; internal set; }

    /// <summary>AUTH succeeded (RFC 4954).</summary>
    internal bool IsLoggedIn { get; set; }

    /// <summary>Another transaction may be sent. A host that has closed meanwhile shows in its result (<see cref="SendOutcome.NotTried"/>).</summary>
    public bool CanReuse =>
        Wire.Fault is null && Transactions < Math.Min(_options.MaxTransactions, Extensions.MaxTransactions ?? int.MaxValue);

    /// <summary>RFC 9422: the host lets recipients of this domain be named in this session, beside those that were.</summary>
    public bool Takes(string domain) => _domains.Count < (Extensions.MaxDomains ?? int.MaxValue) || _domains.Contains(domain);

    /// <summary>Transactions that were begun: the host was told of.</summary>
    public int Transactions { get; internal set; }

    internal ClientWire Wire { get; }

    internal ClientTimeouts Timeouts => _options.Timeouts;

    internal TimeProvider Clock => _options.Clock;

    internal bool UsesChunking => _options.UseChunking && Extensions.Chunking;

    internal void NoteRecipient(string address)
    {
        if (Extensions.MaxDomains is not null)
        {
            _domains.Add(address[(address.LastIndexOf('@') + 1)..]);
        }
    }

    /// <summary>The host may hold an unfinished transaction: RSET comes first.</summary>
    internal bool NeedsReset { get; set; }

    /// <summary>Connects, greets, and gets TLS and a login as the options say.</summary>
    /// <exception cref="OperationCanceledException">Cancelled; everything else is a fault in the result.</exception>
    public static Task<SmtpClientResult> ConnectAsync(RemoteHost host, ClientOptions options, CancellationToken cancel) =>
        ClientOpening.ConnectAsync(host, options, cancel);

    /// <summary>
    /// One transaction. Cancelling cuts the connection and is told in the result, since only that can say whether the message had been
    /// sent already.
    /// </summary>
    /// <exception cref="InvalidOperationException"><see cref="CanReuse"/> was false.</exception>
    public async Task<TransactionResult> SendAsync(OutgoingMessage message, CancellationToken cancel)
    {
        if (!CanReuse)
        {
            throw new InvalidOperationException("The connection cannot be used for another transaction.");
        }

        using var attached = Wire.Attach(cancel);
        return await new ClientTransaction(this, message).RunAsync(cancel).ConfigureAwait(false);
    }

    /// <summary>Says goodbye and closes; never fails.</summary>
    public async Task QuitAsync()
    {
        if (Wire.Fault is null)
        {
            Wire.Output.Write("QUIT\r\n"u8);
            if (await Wire.FlushAsync(Timeouts.Quit).ConfigureAwait(false))
            {
                await Wire.ReadAsync(Timeouts.Quit).ConfigureAwait(false);
                await Wire.CloseTlsAsync(Timeouts.Quit).ConfigureAwait(false);
            }
        }

        await DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>Closes without QUIT.</summary>
    public ValueTask DisposeAsync() => Wire.DisposeAsync();

    internal async ValueTask<RemoteReply> AskAsync(string command, TimeSpan timeout)
    {
        Wire.Output.Write(System.Text.Encoding.UTF8.GetBytes(command + "\r\n"));
        var sent = await Wire.FlushAsync(timeout).ConfigureAwait(false);
        // Where it could not be sent, the host may have said why.
        return await Wire.ReadAsync(sent ? timeout : Timeouts.Quit).ConfigureAwait(false);
    }
}
