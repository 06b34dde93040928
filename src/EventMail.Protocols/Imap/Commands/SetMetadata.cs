using EventMail.Domain;
using EventMail.Domain.Metadata;
using EventMail.Protocols.Imap.Annotations;
using EventMail.Protocols.Imap.Responses;

namespace EventMail.Protocols.Imap.Commands;

/// <summary>RFC 5464 §4.3: all entries or none.</summary>
internal static class SetMetadata
{
    /// <summary>Also for a value that is refused before it is read.</summary>
    public static readonly Reply TooLarge = Reply.No(MetadataRejections.TooLarge.Text, $"METADATA MAXSIZE {MetadataLimits.MaxValue}");

    public static async ValueTask<Reply> RunAsync(ImapSession session, ImapCommand command)
    {
        if (Parse(command, session.Limits.MaxMetadataEntries, out var mailbox, out var entries) is { } error)
            return Reply.Bad(error);
        var user = session.User!;
        var set = await session.Services.Metadata.SetAsync(
            user.Id, user.Account.Administrator, mailbox, [.. entries.Select(entry => (entry.Key, entry.Value))], user.Actor, command.Tag,
            session.Cancel).ConfigureAwait(false);
        return set.Rejection is { } rejection ? Refused(rejection) : command.Done();
    }

    private static Reply Refused(Rejection rejection) =>
        rejection == MetadataRejections.TooLarge ? TooLarge
        : rejection == MetadataRejections.TooMany ? Reply.No(rejection.Text, "METADATA TOOMANY")
        : Reply.Refused(rejection);

    // setmetadata = "SETMETADATA" SP mailbox SP entry-values; entry-values = "(" entry-value *(SP entry-value) ")"; entry-value = entry SP value
    private static string? Parse(ImapCommand command, int maxEntries, out string mailbox, out Dictionary<string, byte[]?> entries)
    {
        mailbox = "";
        // Of an entry that is named twice the last value counts.
        entries = new(StringComparer.OrdinalIgnoreCase);
        var arguments = command.Arguments;
        if (!arguments.ExpectSp() || !arguments.ExpectMailbox(out mailbox) || !arguments.ExpectSp() || !arguments.ExpectByte('('))
            return arguments.Error;
        do
        {
            if (!arguments.ExpectEntry(out var entry) || !arguments.ExpectSp() || !arguments.ExpectMetadataValue(out var value))
                return arguments.Error;
            // §3.2: at least two components.
            if (!MetadataEntry.HasName(entry))
                return "Invalid entry name";
            if (entries.Count == maxEntries)
                return "Too many entries";
            entries[entry] = value;
        }
        while (arguments.TrySp());
        return arguments.ExpectByte(')') && arguments.ExpectEnd() ? null : arguments.Error;
    }
}
