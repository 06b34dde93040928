using System.Text;
using EventMail.Protocols.Imap.Grammar;
using EventMail.Protocols.Imap.Quotas;
using EventMail.Protocols.Imap.Responses;

namespace EventMail.Protocols.Imap.Commands;

/// <summary>RFC 9208 §4.1.1.</summary>
internal static class GetQuota
{
    public static async ValueTask<Reply> RunAsync(ImapSession session, ImapCommand command)
    {
        if (Parse(command, out var name) is { } error)
            return Reply.Bad(error);
        var (root, rejection) = await QuotaRoot.FindAsync(session, name).ConfigureAwait(false);
        if (rejection is not null)
            return Reply.Refused(rejection);
        await root.WriteAsync(session).ConfigureAwait(false);
        return command.Done();
    }

    // getquota = "GETQUOTA" SP quota-root-name
    private static string? Parse(ImapCommand command, out string name)
    {
        name = "";
        var arguments = command.Arguments;
        return arguments.ExpectSp() && ExpectRoot(ref arguments, out name) && arguments.ExpectEnd() ? null : arguments.Error;
    }

    // quota-root-name = astring
    public static bool ExpectRoot(ref CommandParser arguments, out string name)
    {
        var there = arguments.ExpectAString(out var octets);
        name = Encoding.UTF8.GetString(octets);
        return there;
    }
}
