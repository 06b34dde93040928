using System.Diagnostics;
using System.Text;
using EventMail.Protocols.Imap.Grammar;
using EventMail.Protocols.Imap.Responses;
using EventMail.Protocols.Sasl;

namespace EventMail.Protocols.Imap.Commands;

/// <summary>RFC 3501 §6.2.2, with an initial response (RFC 4959).</summary>
internal static class Authenticate
{
    public static async ValueTask<Reply> RunAsync(ImapSession session, ImapCommand command)
    {
        if (Parse(command, out var mechanism, out var initial) is { } error)
            return Reply.Bad(error);
        var actor = Login.Stranger(session);
        var context = Login.Context(session, actor);
        if (SaslServer.Start(mechanism, session.Connection, session.Services.Authenticator, context) is not { } exchange)
        {
            return session.Connection.MaySendPassword
                ? Reply.No("Mechanism not available", "CANNOT")
                : Reply.No("Logins need TLS here", "PRIVACYREQUIRED");
        }

        var started = Stopwatch.GetTimestamp();
        await session.Writer.FlushAsync().ConfigureAwait(false);
        var outcome = await SaslFraming.RunAsync(
            session.Connection, exchange, initial, SaslFraming.ImapAndPop3, session.Limits.CommandTimeout, session.Cancel).ConfigureAwait(false);
        return outcome.End switch
        {
            SaslEnd.Done => Login.Finish(session, actor, outcome.Result, exchange.Mechanism, Stopwatch.GetElapsedTime(started)),
            // RFC 3501 §6.2.2: "*" is answered with BAD.
            SaslEnd.Cancelled => Reply.Bad("Authentication cancelled"),
            SaslEnd.Malformed or SaslEnd.LineTooLong => Reply.Bad("Malformed response"),
            SaslEnd.TimedOut => session.Broken(CommandStatus.TimedOut),
            SaslEnd.Stopping => Stop(session),
            _ => Reply.Close,
        };
    }

    private static Reply Stop(ImapSession session)
    {
        session.Bye("Server shutting down", "UNAVAILABLE");
        return Reply.Close;
    }

    // authenticate = "AUTHENTICATE" SP auth-type [SP (base64 / "=")]
    private static string? Parse(ImapCommand command, out string mechanism, out ReadOnlyMemory<byte>? initial)
    {
        (mechanism, initial) = ("", null);
        var arguments = command.Arguments;
        if (!arguments.ExpectSp() || !arguments.ExpectAtom(out var name))
            return arguments.Error;
        mechanism = Encoding.ASCII.GetString(name);
        if (arguments.AtEnd)
            return null;
        if (!arguments.ExpectSp() || arguments.AtEnd)
            return arguments.Error ?? "Missing argument";
        initial = arguments.Rest.ToArray();
        return null;
    }
}
