using EventMail.Domain.Mailboxes;
using EventMail.Projections.Mailboxes;
using EventMail.Protocols.Imap.Grammar;
using EventMail.Protocols.Imap.Responses;

namespace EventMail.Protocols.Imap.Appending;

/// <summary>
/// Takes in what APPEND and REPLACE bring: mailbox 1*append-message. Each message streams into the content store and is never held
/// whole; nothing is committed here. Disposing it leaves no trace of what was not committed.
/// </summary>
internal sealed class MessageIntake(ImapSession session, ImapCommand command, bool several) : IDisposable
{
    private delegate bool Rule(ref CommandParser parser);

    private readonly UrlSources _urls = new(session);
    private readonly List<AppendMessage> _messages = [];
    private readonly List<string?> _messageIds = [];
    private int _at;
    private long _inMemory;

    /// <summary>As the client named it.</summary>
    public string Mailbox { get; private set; } = "";

    public MailboxRef Target { get; private set; }

    public IReadOnlyList<AppendMessage> Messages => _messages;

    /// <summary>Octets of all of them.</summary>
    public long Size { get; private set; }

    /// <summary>Null when everything is here; else how the command ends, with nothing of it left to be read.</summary>
    /// <param name="at">Where in the command's text the mailbox is.</param>
    public async ValueTask<Reply?> TakeAsync(int at)
    {
        _at = at;
        if (await TakeAllAsync().ConfigureAwait(false) is not { } refused)
            return null;
        return refused.Kind == ReplyKind.Close || await session.SkipLiteralsAsync().ConfigureAwait(false) ? refused : Reply.Close;
    }

    private async ValueTask<Reply?> TakeAllAsync()
    {
        if (await ParseAsync((ref parser) => parser.ExpectSp() && parser.ExpectMailbox(out var name) && Named(name), strings: true).ConfigureAwait(false) is { } bad)
            return bad;
        do
        {
            if (await TakeMessageAsync().ConfigureAwait(false) is { } refused)
                return refused;
        }
        while (several && _at < command.Reader.Text.Length);
        return _at < command.Reader.Text.Length ? Reply.Bad("Unexpected text behind the message") : null;
    }

    private bool Named(string mailbox)
    {
        Mailbox = mailbox;
        return true;
    }

    private async ValueTask<Reply?> TakeMessageAsync()
    {
        var options = default(AppendOptions);
        if (await ParseAsync((ref parser) => parser.ExpectAppendOptions(out options)).ConfigureAwait(false) is { } bad)
            return bad;
        if (await CheckAsync(options).ConfigureAwait(false) is { } no)
            return no;
        await using var message = IncomingMessage.Begin(session.Services.Contents);
        var refused = options.Form switch
        {
            AppendForm.Catenate => await TakePartsAsync(message).ConfigureAwait(false),
            AppendForm.Utf8 => await TakeUtf8Async(message, options.Literal).ConfigureAwait(false),
            _ => await TakeLiteralAsync(message, options.Literal).ConfigureAwait(false),
        };
        if (refused is not null)
            return refused;
        if (message.Size == 0)
            return Empty;
        var content = await message.CompleteAsync(mayExist: true, session.Cancel).ConfigureAwait(false);
        _inMemory += content.Bytes.Length;
        _messages.Add(new(content, options.Flags, options.Date ?? DateTimeOffset.UtcNow));
        _messageIds.Add(message.MessageId);
        Size += content.Size;
        return null;
    }

    private static Reply Empty => Reply.No("A message cannot be empty", "CANNOT");

    /// <summary>What can be refused before the message is sent.</summary>
    private async ValueTask<Reply?> CheckAsync(AppendOptions options)
    {
        // RFC 7889 §4; RFC 3502: an empty message takes all of them back.
        if (options.Form != AppendForm.Catenate)
        {
            if (options.Literal.Size > session.Limits.MaxMessageSize)
                return TooBig;
            if (options.Literal.Size == 0)
                return Empty;
        }

        if (MessageLimit.Exceeds(session, _messages.Count + 1))
            return MessageLimit.TooMany(session);
        if (_messages.Count == session.Limits.MaxAppendMessages)
            return Reply.No("Too many messages in one APPEND", "LIMIT");
        if (_inMemory > session.Limits.MaxAppendMemory)
            return Reply.No("Too much in one APPEND", "LIMIT");
        if (_messages.Count > 0)
            return null;
        var (target, rejection) = await session.Services.Mailboxes.LocateAsync(
            session.User!.Id, Mailbox, Rights.Insert, session.Cancel).ConfigureAwait(false);
        if (rejection is not null)
            return Reply.RefusedDestination(rejection);
        Target = target;
        return null;
    }

    private static Reply TooBig => Reply.No("Message too large", "TOOBIG");

    /// <summary>Of one message together with what there is of it already, and of all messages.</summary>
    private bool Fits(IncomingMessage message, long more) =>
        message.Size + more <= session.Limits.MaxMessageSize && Size + message.Size + more <= session.Limits.MaxAppendOctets;

    private async ValueTask<Reply?> TakeLiteralAsync(IncomingMessage message, LiteralMarker literal)
    {
        if (literal.Hastens(session.Limits.NonSynchronizingLiterals))
            return Reply.ToBeWaitedWith;
        if (!Fits(message, literal.Size))
            return TooBig;
        if (literal.Synchronizing && !await session.ContinueAsync().ConfigureAwait(false))
            return Reply.Close;
        session.Connection.Trace?.ReceivedBody(literal.Size);
        var status = await command.Reader.ReadOctetsAsync(
            literal.Size, octets => message.WriteAsync(octets, session.Cancel)).ConfigureAwait(false);
        _at = 0;
        return status switch
        {
            CommandStatus.Line => null,
            CommandStatus.TooLong => Reply.Bad("Command line too long", "TOOBIG"),
            _ => session.Broken(status),
        };
    }

    private async ValueTask<Reply?> TakeUtf8Async(IncomingMessage message, LiteralMarker literal)
    {
        if (!session.Has(Extensions.Utf8Accept))
            return Reply.No("ENABLE UTF8=ACCEPT first");
        return await TakeLiteralAsync(message, literal).ConfigureAwait(false)
            ?? await ParseAsync((ref parser) => parser.ExpectByte(')')).ConfigureAwait(false);
    }

    private async ValueTask<Reply?> TakePartsAsync(IncomingMessage message)
    {
        while (true)
        {
            var part = default(CatenatePart);
            if (await ParseAsync((ref parser) => parser.ExpectCatenatePart(out part), strings: true).ConfigureAwait(false) is { } bad)
                return bad;
            var refused = part.Form switch
            {
                PartForm.Url => await TakeUrlAsync(message, part.Url!).ConfigureAwait(false),
                PartForm.Utf8 => await TakeUtf8Async(message, part.Literal).ConfigureAwait(false),
                _ => await TakeLiteralAsync(message, part.Literal).ConfigureAwait(false),
            };
            if (refused is not null)
                return refused;
            var ended = false;
            if (await ParseAsync((ref parser) => (ended = parser.TryByte(')')) || parser.ExpectSp()).ConfigureAwait(false) is { } wrong)
                return wrong;
            if (ended)
                return null;
        }
    }

    private async ValueTask<Reply?> TakeUrlAsync(IncomingMessage message, string url)
    {
        // What it points to may be on its way.
        if (!await session.Pending.TellAllAsync().ConfigureAwait(false))
            return Reply.Close;
        var source = await _urls.FindAsync(url).ConfigureAwait(false);
        if (source is null)
            return Reply.No("No such message or part", UrlSources.BadUrl(url));
        await using (source.ConfigureAwait(false))
        {
            if (!Fits(message, source.Length))
                return TooBig;
            await source.CopyToAsync(message, session.Cancel).ConfigureAwait(false);
        }

        return null;
    }

    /// <summary>Parses on from where it was.</summary>
    /// <param name="strings">It may have strings that are literals: they are read on the way.</param>
    private async ValueTask<Reply?> ParseAsync(Rule rule, bool strings = false)
    {
        while (true)
        {
            if (TryParse(rule, out var missing, out var error))
                return null;
            if (!strings || missing is not { } literal)
                return Reply.Bad(error);
            if (await session.ReadLiteralAsync(literal).ConfigureAwait(false) is { } refused)
                return refused;
        }
    }

    private bool TryParse(Rule rule, out LiteralMarker? missing, out string error)
    {
        var parser = command.ParserAt(_at);
        missing = null;
        error = "";
        if (rule(ref parser))
        {
            _at += parser.Position;
            return true;
        }

        if (parser.AtTrailingLiteral(out var marker))
            missing = marker;
        error = parser.Error ?? "Missing message";
        return false;
    }

    /// <summary>Says that they are in the mailbox.</summary>
    public void Log()
    {
        for (var i = 0; i < _messages.Count; i++)
            session.Services.Log.MessageAppended(session.Connection, Mailbox, _messageIds[i], _messages[i].Content.Size);
    }

    public void Dispose() => _urls.Dispose();
}
