using System.Text;
using EventMail.Domain;
using EventMail.Domain.Messages.Submitted;
using EventMail.EventStore;
using EventMail.Projections;
using EventMail.Projections.Accounts;
using EventMail.Projections.Mailboxes;
using EventMail.Protocols.MailAuth;
using EventMail.Protocols.Smtp.Data;
using EventMail.Protocols.Smtp.Reception;

namespace EventMail.Protocols.Smtp.Submission;

/// <summary>
/// A message that a user hands in: spooled while it arrives, since what is put right in it (RFC 6409 §8) and its signature stand in front
/// of what is known only at its end.
/// </summary>
internal sealed class SubmittedMessage(SubmissionDestination destination, SmtpEnvelope envelope, MessageSpool spool) : ISmtpMessage
{
    private ContentNeeds _needs = new();
    private IncomingMessage? _incoming;
    private IncomingMessage? _withBcc;
    private StagedContent? _content;
    private StagedContent? _copy;
    private SubmittedHeader? _header;
    private int _skip;
    private ReceivedMessage? _checked;
    private bool _discarded;

    private string Account => envelope.Account ?? throw new InvalidOperationException("Nobody is logged in.");

    public string? MessageId => _incoming?.MessageId;

    // Of a parameter MAIL's answer has told already.
    public int? LoweredPriority => envelope.Parameters.Priority is null && _header is { } header
        && SubmittedEnvelope.Wanted(envelope, header) > envelope.MaxPriority ? envelope.MaxPriority : null;

    public ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancel)
    {
        _needs.Feed(bytes.Span);
        return spool.WriteAsync(bytes, cancel);
    }

    public async ValueTask<SmtpReply?> CompleteAsync(CancellationToken cancel)
    {
        if (spool.HeaderTooLong)
            return SmtpReplies.HeaderTooLong;
        var read = SubmittedHeader.Read(spool.Header);
        if (read.Value is not { } header)
            return new($"554 5.6.0 {read.Rejection!.Text}");
        if (await destination.Directory.GetAsync(Account, cancel) is not { } account)
            return SmtpReplies.NotYourAddress;
        if (destination.Options.CheckFrom && await RefuseAsync(header, cancel) is { } notYours)
            return notYours;

        if (destination.Checks is { } checks)
        {
            if (await CheckAsync(checks, account, cancel) is { } refusal)
                return refusal;
            if (_discarded)
                return null;
            read = SubmittedHeader.Read(_checked!.EditedHeader);
            if (read.Value is null)
                return new($"554 5.6.0 {read.Rejection!.Text}");
            header = read.Value;
            if (_checked.HasOtherBody)
                _needs = await ContentNeeds.OfAsync(_checked.EditedHeader, _checked.EditedBodyAsync(cancel), cancel);
        }

        _header = header;
        // A filter may have changed it.
        var isAuthor = await AllowsAllAsync(header.Authors, cancel);
        var additions = Additions(account, header, !isAuthor);
        var trace = TraceFields.Write(envelope, destination.Options.HideClient);
        // Return-Path is for mailboxes here: others write their own.
        _skip = trace.AsSpan().IndexOf((byte)'\n') + 1;
        byte[] fields = _checked is null ? [] : Encoding.UTF8.GetBytes(string.Concat(_checked.Fields));
        var written = Clean(header.Write(additions));
        if (fields.Length > 0)
            written = (byte[])[.. fields, .. written.Span];
        // Nobody signs for a domain that is not his to write for, whatever CheckFrom lets through.
        var signature = isAuthor && destination.Signer is { } signer
            ? await signer.SignAsync(header.Authors[0].Domain, written, BodyAsync(cancel), envelope.Received, cancel)
            : null;
        _incoming = IncomingMessage.Begin(destination.Contents);
        _content = await ComposeAsync(_incoming, [.. trace, .. signature ?? [], .. written.Span], cancel);
        if (account.SaveSent)
            _copy = header.HasBcc ? await CopyAsync([.. trace, .. fields, .. Clean(header.Write(additions, keepBcc: true)).Span], cancel) : _content;
        return null;
    }

    public async Task<Rejection?> DeliverAsync(
        IReadOnlyList<LocalRecipient> recipients, QuotaRule rule, string reversePath, Actor actor, string cause, CancellationToken cancel)
    {
        if (_discarded)
            return null;
        var content = _content ?? throw new InvalidOperationException("The message is not whole.");
        var submission = SubmittedEnvelope.Of(envelope, Account, _header!, _needs, _skip, MessageId);
        var submitted = await destination.Deliveries.SubmitAsync(
            submission, content, SubmittedEnvelope.Locals(envelope), rule, actor, cause, cancel, _copy);
        return submitted.Rejection;
    }

    public async ValueTask DisposeAsync()
    {
        await spool.DisposeAsync();
        if (_checked is not null)
            await _checked.DisposeAsync();
        if (_incoming is not null)
            await _incoming.DisposeAsync();
        if (_withBcc is not null)
            await _withBcc.DisposeAsync();
    }

    // As it will go out: the signature, what is stored here and what others get are of one form.
    private IAsyncEnumerable<ReadOnlyMemory<byte>> BodyAsync(CancellationToken cancel)
    {
        var body = _checked?.EditedBodyAsync(cancel) ?? spool.BodyAsync(cancel);
        return _needs.IsBinary && _needs.Body(envelope.Parameters.Body) != "binarymime" ? WholeLines.OfAsync(body, cancel) : body;
    }

    private async ValueTask<SmtpReply?> RefuseAsync(SubmittedHeader header, CancellationToken cancel) =>
        !await AllowsAllAsync(header.Authors, cancel) ? SmtpReplies.NotYourFrom
        : !await AllowsAllAsync(header.Senders, cancel) ? SmtpReplies.NotYourSender
        : await NamesNeighbourAsync(header.OriginalAuthors, cancel) ? SmtpReplies.NotYourResentFrom
        : null;

    // Its sender is told of spam, whoever it is for: there is no mailbox for it here.
    private async ValueTask<SmtpReply?> CheckAsync(ReceptionChecks checks, AccountEntry account, CancellationToken cancel)
    {
        _checked = new(envelope, spool);
        var result = await checks.RunAsync(_checked, cancel);
        if (result.Disposition < Disposition.Discard)
            return null;
        _discarded = result.Disposition == Disposition.Discard;
        return await checks.SettleAsync(
            _checked, result, [.. envelope.Recipients.Select(recipient => new LocalRecipient(Account, account.Address, recipient.Address))], cancel);
    }

    private async ValueTask<bool> AllowsAllAsync(IReadOnlyList<HeaderAddress> addresses, CancellationToken cancel)
    {
        foreach (var address in addresses)
        {
            if (!await destination.Senders.AllowAsync(Account, address.LocalPart, address.Domain, cancel))
                return false;
        }

        return true;
    }

    // Who sends on a message leaves its author as he was, and a reader sees the author: nobody may invent one who is at home here. What
    // others say of their domains is theirs to check.
    private async ValueTask<bool> NamesNeighbourAsync(IReadOnlyList<HeaderAddress> authors, CancellationToken cancel)
    {
        foreach (var author in authors)
        {
            if (await destination.Directory.IsLocalDomainAsync(author.Domain, cancel)
                && !await destination.Senders.AllowAsync(Account, author.LocalPart, author.Domain, cancel))
                return true;
        }

        return false;
    }

    // RFC 8601 §5: results in our name are ours to write, and of what our users send there are none.
    private ReadOnlyMemory<byte> Clean(byte[] header) => ForeignResults.Remove(header, envelope.Hostname);

    private HeaderAdditions Additions(AccountEntry account, SubmittedHeader header, bool needsSender) => new(
        envelope.Received, $"{Guid.CreateVersion7():n}@{MessageIdHost(account)}", account.Address, needsSender)
    {
        Priority = SubmittedEnvelope.Wanted(envelope, header) is null ? null : SubmittedEnvelope.Priority(envelope, header),
    };

    // RFC 5322 §3.6.4: a domain of the host's; a bare machine name is not unique in the world.
    private string MessageIdHost(AccountEntry account) =>
        envelope.Hostname.Contains('.') ? envelope.Hostname : account.Address[(account.Address.LastIndexOf('@') + 1)..];

    // Only its sender learns who was in Bcc (RFC 5322 §3.6.3). No signature would hold for it.
    private async ValueTask<StagedContent> CopyAsync(byte[] front, CancellationToken cancel)
    {
        _withBcc = IncomingMessage.Begin(destination.Contents);
        return await ComposeAsync(_withBcc, front, cancel);
    }

    private async ValueTask<StagedContent> ComposeAsync(IncomingMessage message, byte[] front, CancellationToken cancel)
    {
        await message.WriteAsync(front, cancel);
        await foreach (var piece in BodyAsync(cancel))
            await message.WriteAsync(piece, cancel);
        return await message.CompleteAsync(mayExist: false, cancel);
    }
}
