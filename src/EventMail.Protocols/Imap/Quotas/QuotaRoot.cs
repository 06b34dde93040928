using System.Text;
using EventMail.Domain;
using EventMail.Protocols.Imap.Responses;

namespace EventMail.Protocols.Imap.Quotas;

/// <summary>A quota root (RFC 9208 §3.2): each account is one. It is "" to its owner, and its address to all who may see it.</summary>
internal readonly record struct QuotaRoot(string Name, string Account)
{
    /// <summary>Of others' roots only administrators learn anything, also whether they are there.</summary>
    public static async ValueTask<Result<QuotaRoot>> FindAsync(ImapSession session, string name)
    {
        var user = session.User!;
        if (name.Length == 0)
            return new QuotaRoot(name, user.Id);
        var entry = await session.Services.Directory.FindAsync(name, session.Cancel).ConfigureAwait(false);
        if (entry?.Account == user.Id || (entry is not null && user.Account.Administrator))
            return new QuotaRoot(name, entry.Account);
        return user.Account.Administrator ? new Rejection(RejectionKind.NonExistent, "No such quota root") : Rejection.NoPermission;
    }

    // quota-response = "QUOTA" SP quota-root-name SP quota-list; quota-list = "(" quota-resource *(SP quota-resource) ")"
    public async ValueTask WriteAsync(ImapSession session)
    {
        var mail = await session.Services.Directory.UsageAsync(Account, session.Cancel).ConfigureAwait(false);
        var mailboxes = await session.Services.Mailboxes.CountAsync(Account, session.Cancel).ConfigureAwait(false);
        var writer = session.Writer;
        writer.Raw("* QUOTA "u8);
        WriteName(writer);
        var first = true;
        foreach (var resource in QuotaResource.All)
        {
            // §4.2.1: what is not named is not limited.
            if (resource.Of(mail, mailboxes) is not (var usage, { } limit))
                continue;
            writer.Raw(first ? " ("u8 : " "u8);
            first = false;
            writer.Ascii(resource.Name);
            writer.Sp();
            writer.Number(usage);
            writer.Sp();
            writer.Number(limit);
        }

        writer.Raw(")\r\n"u8);
    }

    public void WriteName(ImapWriter writer) => writer.String(Encoding.UTF8.GetBytes(Name));
}
