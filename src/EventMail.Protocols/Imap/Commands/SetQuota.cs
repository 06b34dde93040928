using EventMail.Domain.Accounts;
using EventMail.Protocols.Imap.Quotas;
using EventMail.Protocols.Imap.Responses;

namespace EventMail.Protocols.Imap.Commands;

/// <summary>RFC 9208 §4.1.3, QUOTASET: administrators set an account's STORAGE and MESSAGE; the other limits are the server's.</summary>
internal static class SetQuota
{
    public static async ValueTask<Reply> RunAsync(ImapSession session, ImapCommand command)
    {
        if (Parse(command, out var name, out var limits) is { } error)
            return Reply.Bad(error);
        var user = session.User!;
        if (!user.Account.Administrator)
            return Reply.No("Only administrators set quotas", "NOPERM");
        var (root, rejection) = await QuotaRoot.FindAsync(session, name).ConfigureAwait(false);
        if (rejection is not null)
            return Reply.Refused(rejection);
        if (!TryLimits(limits, out var wanted))
            return Reply.No("A root has a limit of STORAGE, and besides it only MESSAGE can be set", "CANNOT");
        var services = session.Services;
        if (await services.Directory.GetAsync(root.Account, session.Cancel).ConfigureAwait(false) is not { } account)
            return Reply.No("No such quota root", "NONEXISTENT");
        var set = await services.Accounts.SetQuotaAsync(account.Address, _ => wanted, user.Actor, session.Cancel).ConfigureAwait(false);
        if (set.Rejection is { } refused)
            return Reply.Refused(refused);
        await root.WriteAsync(session).ConfigureAwait(false);
        return command.Done();
    }

    // A limit that is not named is to be taken away, and that of STORAGE cannot be.
    private static bool TryLimits(List<(QuotaResource? Resource, long Limit)> limits, out QuotaLimits wanted)
    {
        wanted = default;
        var hasStorage = false;
        foreach (var (resource, limit) in limits)
        {
            if (resource == QuotaResource.Message && wanted.Messages is null)
                wanted = wanted with { Messages = limit };
            else if (resource == QuotaResource.Storage && !hasStorage && QuotaResource.TryBytes(limit, out var bytes))
                (wanted, hasStorage) = (wanted with { Bytes = bytes }, true);
            else
                return false;
        }

        return hasStorage;
    }

    // setquota = "SETQUOTA" SP quota-root-name SP setquota-list; setquota-list = "(" [setquota-resource *(SP setquota-resource)] ")"
    // setquota-resource = resource-name SP resource-limit
    private static string? Parse(ImapCommand command, out string name, out List<(QuotaResource? Resource, long Limit)> limits)
    {
        (name, limits) = ("", []);
        var arguments = command.Arguments;
        if (!arguments.ExpectSp() || !GetQuota.ExpectRoot(ref arguments, out name) || !arguments.ExpectSp() || !arguments.ExpectByte('('))
            return arguments.Error;
        if (!arguments.TryByte(')'))
        {
            do
            {
                if (!arguments.ExpectAtom(out var resource) || !arguments.ExpectSp() || !arguments.ExpectNumber(out var limit))
                    return arguments.Error;
                limits.Add((QuotaResource.Find(resource), limit));
            }
            while (arguments.TrySp());
            if (!arguments.ExpectByte(')'))
                return arguments.Error;
        }

        return arguments.ExpectEnd() ? null : arguments.Error;
    }
}
