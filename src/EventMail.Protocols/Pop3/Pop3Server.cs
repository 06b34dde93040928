using EventMail.Projections.Accounts;
using EventMail.Protocols.Wire;

namespace EventMail.Protocols.Pop3;

/// <summary>The Post Office Protocol (RFC 1939): reads a line, finds its command, lets it run.</summary>
public static class Pop3Server
{
    /// <summary>Serves one connection to its end; implicit TLS is up already. The caller disposes the connection.</summary>
    /// <param name="stopping">
    /// Fires when the server stops (<see cref="MailConnection.Stop"/> has been called then): the command in progress is finished.
    /// </param>
    public static async Task ServeAsync(MailConnection connection, Pop3Services services, CancellationToken stopping)
    {
        connection.LineTimeout = services.Options.CommandTimeout;
        await using var session = new Pop3Session(connection, services);
        session.Ok(session.Timestamp is { } timestamp ? $"EventMail POP3 ready {timestamp}" : "EventMail POP3 ready");
        await RunAsync(session);
        await connection.FlushAsync();
        if (session.Account is { } account)
        {
            session.Log.Ended(account.Address, session.Totals);
        }
    }

    private static async Task RunAsync(Pop3Session session)
    {
        var connection = session.Connection;
        var options = session.Services.Options;
        var line = new Line();
        while (!session.IsOver)
        {
            // PIPELINING (RFC 2449 §6.6): replies go out when the client waits for them, not one by one.
            var reading = connection.ReadLineAsync(line, options.MaxCommandLength - 2, session.Patience);
            if (!reading.IsCompleted)
            {
                await connection.FlushAsync();
            }

            switch (await reading)
            {
                case LineStatus.Line:
                    await DispatchAsync(session, line.Memory);
                    await session.FlushIfMuchAsync();
                    break;
                case LineStatus.TooLong:
                    session.Rubbish($"Line too long, at most {options.MaxCommandLength} octets");
                    break;
                case LineStatus.Woken:
                    EndIfLost(session);
                    break;
                case LineStatus.Stopping:
                    session.Err("[SYS/TEMP] The server is shutting down, nothing was removed");
                    session.End();
                    break;
                case LineStatus.TimedOut:
                    // RFC 1939 §3: without removing any messages or sending any response.
                    session.Log.IdleTimeout(session.Patience);
                    session.End();
                    break;
                case LineStatus.Closed:
                    session.End();
                    break;
            }
        }
    }

    private static async ValueTask DispatchAsync(Pop3Session session, ReadOnlyMemory<byte> line)
    {
        if (EndIfLost(session))
        {
            return;
        }

        var end = line.Span.IndexOf((byte)' ');
        var keyword = end < 0 ? line : line[..end];
        var known = Pop3Commands.Find(keyword.Span);
        session.Connection.Trace?.Received(line.Span, isCommand: known is not null);
        if (known is not { } command)
        {
            session.Rubbish("Unknown command");
            return;
        }

        session.Log.Command(command.Keyword);
        if ((command.States & session.State) == 0)
        {
            session.Rubbish(session.State == Pop3States.Authorization ? $"{command.Keyword}: log in first" : $"{command.Keyword}: logged in already");
            return;
        }

        if (!Pop3Arguments.TryParse(command.Syntax, end < 0 ? default : line[(end + 1)..], out var arguments))
        {
            session.Rubbish($"Syntax: {command.Usage}");
            return;
        }

        try
        {
            session.Errors = 0;
            if (!await WithinRateAsync(session))
            {
                session.Err("[SYS/TEMP] Too many commands, slow down");
                return;
            }

            await command.RunAsync(session, arguments);
        }
        catch (Exception error)
        {
            session.Fail(error);
        }
    }

    private static ValueTask<bool> WithinRateAsync(Pop3Session session) => session.Services.RateLimiter.TakeAsync(
        session.Connection, session.Account?.Account, () => session.Log.Limited(session.Account?.Address), CancellationToken.None);

    // Another session may have the maildrop, or the login counts no more: RFC 1939 §8 leaves no way to go on.
    private static bool EndIfLost(Pop3Session session)
    {
        if (LossOf(session) is not { } loss)
        {
            return false;
        }

        session.Err($"{loss}, nothing was removed");
        session.End();
        return true;
    }

    // RFC 3206
    private static string? LossOf(Pop3Session session) => session switch
    {
        { LoginEnd: LoginEnd.Disabled } => "[SYS/PERM] The account is disabled",
        { LoginEnd: LoginEnd.CredentialsChanged } => "[AUTH] The account's password has changed",
        { Maildrop.IsLost: true } => "[SYS/TEMP] The lock on the maildrop was lost",
        _ => null,
    };
}
