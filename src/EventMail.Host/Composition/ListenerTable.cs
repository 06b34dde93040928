using EventMail.Host.Configuration;
using EventMail.Host.Listeners;
using EventMail.Protocols.Wire;

namespace EventMail.Host.Composition;

/// <summary>What serves a connection of each protocol, to its end.</summary>
public sealed record ProtocolServers
{
    public required Func<MailConnection, CancellationToken, Task> Smtp { get; init; }
    public required Func<MailConnection, CancellationToken, Task> Lmtp { get; init; }
    public required Func<MailConnection, CancellationToken, Task> Submission { get; init; }
    public required Func<MailConnection, CancellationToken, Task> Imap { get; init; }
    public required Func<MailConnection, CancellationToken, Task> Pop3 { get; init; }
}

/// <summary>The server's listeners, in the order of the ready line.</summary>
public static class ListenerTable
{
    public static IReadOnlyList<ListenerSpec> Of(HostSettings settings, ProtocolServers servers) =>
    [
        new()
        {
            Name = "smtp", Settings = settings.Smtp, StopTimeout = settings.Smtp.StopTimeout, Serve = servers.Smtp,
            // RFC 5321 §3.8, RFC 3463 §3.4
            TooManyConnections = "421 4.3.2 Too many connections, try again later\r\n"u8.ToArray(),
            TooManyFromAddress = "421 4.7.0 Too many connections from your address\r\n"u8.ToArray(),
        },
        new()
        {
            Name = "lmtp", Settings = settings.Lmtp, StopTimeout = settings.Smtp.StopTimeout, Serve = servers.Lmtp,
            TooManyConnections = "421 4.3.2 Too many connections, try again later\r\n"u8.ToArray(),
            TooManyFromAddress = "421 4.7.0 Too many connections from your address\r\n"u8.ToArray(),
        },
        new()
        {
            Name = "submission", Settings = settings.Submission, StopTimeout = settings.Smtp.StopTimeout, Serve = servers.Submission,
            TooManyConnections = "421 4.3.2 Too many connections, try again later\r\n"u8.ToArray(),
            TooManyFromAddress = "421 4.7.0 Too many connections from your address\r\n"u8.ToArray(),
        },
        new()
        {
            Name = "submissions", Settings = settings.Submissions, StopTimeout = settings.Smtp.StopTimeout, Serve = servers.Submission,
            ImplicitTls = true, TooManyConnections = default, TooManyFromAddress = default,
        },
        new()
        {
            Name = "imap", Settings = settings.Imap, StopTimeout = settings.Imap.StopTimeout, Serve = servers.Imap,
            // RFC 3501 §7.1.5
            TooManyConnections = "* BYE Maximum connections reached\r\n"u8.ToArray(),
            TooManyFromAddress = "* BYE Too many connections from your address\r\n"u8.ToArray(),
        },
        new()
        {
            Name = "imaps", Settings = settings.Imaps, StopTimeout = settings.Imap.StopTimeout, Serve = servers.Imap,
            ImplicitTls = true, TooManyConnections = default, TooManyFromAddress = default,
        },
        new()
        {
            Name = "pop3", Settings = settings.Pop3, StopTimeout = settings.Pop3.StopTimeout, Serve = servers.Pop3,
            // RFC 3206 §4
            TooManyConnections = "-ERR [SYS/TEMP] Too many connections, try again later\r\n"u8.ToArray(),
            TooManyFromAddress = "-ERR [SYS/TEMP] Too many connections from your address\r\n"u8.ToArray(),
        },
        new()
        {
            Name = "pop3s", Settings = settings.Pop3s, StopTimeout = settings.Pop3.StopTimeout, Serve = servers.Pop3,
            ImplicitTls = true, TooManyConnections = default, TooManyFromAddress = default,
        },
    ];
}
