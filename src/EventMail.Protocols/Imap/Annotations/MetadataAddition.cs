using EventMail.Projections.Mailboxes;
using EventMail.Projections.Metadata;
using EventMail.Protocols.Imap.Grammar;
using EventMail.Protocols.Imap.Listing;

namespace EventMail.Protocols.Imap.Annotations;

/// <summary>LIST's RETURN (METADATA …) (RFC 9590): a METADATA response behind the LIST of each mailbox.</summary>
internal sealed class MetadataAddition(MetadataQuestion question)
{
    private ListedMetadata? _values;
    private PastAnnotations? _past;

    // "METADATA" SP entries
    public static bool Read(ref CommandParser arguments, ListRequest request)
    {
        if (!arguments.ExpectSp() || !arguments.ExpectEntries(request.MaxEntries, out var entries))
            return false;
        request.Additions.Add(new MetadataAddition(new(entries)).WriteAsync);
        return true;
    }

    private async ValueTask WriteAsync(ImapSession session, MailboxEntry mailbox)
    {
        if (!mailbox.Selectable || !MetadataService.MayAnnotate(mailbox.Rights))
            return;
        var values = await OfAsync(session, mailbox).ConfigureAwait(false);
        MetadataResponse.Write(session.Writer, mailbox.Name, question.Answer(values, out _));
        await session.Writer.FlushIfFullAsync().ConfigureAwait(false);
    }

    private async ValueTask<IReadOnlyList<MetadataValue>> OfAsync(ImapSession session, MailboxEntry mailbox)
    {
        var (user, services) = (session.User!.Id, session.Services);
        if (services.Mailboxes.Past.Has(mailbox.Name))
        {
            _past ??= services.Metadata.OfPast(user);
            return (await _past.OfAsync(mailbox.Name, session.Cancel).ConfigureAwait(false)).Value ?? [];
        }
        _values ??= await services.Metadata.OfAllAsync(user, session.Cancel).ConfigureAwait(false);
        return await _values.OfAsync(mailbox, session.Cancel).ConfigureAwait(false);
    }
}
