using EventMail.Protocols.Smtp;
using EventMail.Protocols.Smtp.Reception;

namespace EventMail.Protocols.Filters.Milter;

/// <summary>
/// What goes on between one milter and one SMTP transaction, on a connection of its own that is made with the first recipient. What was
/// said before it (of the client, its name, the sender) is told then: refused for its sake is each recipient.
/// </summary>
internal sealed class MilterTransaction(SmtpEnvelope envelope, MilterPeer peer, MilterOptions options) : IAsyncDisposable
{
    // Whether the milter hears that we go does not matter.
    private static readonly TimeSpan GoodbyeTimeout = TimeSpan.FromSeconds(1);

    private MilterChannel? _channel;
    private MilterDialogue? _dialogue;

    // About the transaction: the milter wants to hear no more.
    private MilterOutcome? _last;

    /// <summary>Nothing that it says can be believed any more.</summary>
    public bool IsBroken { get; set; }

    /// <returns>A refusal of this recipient; null: it may be taken.</returns>
    public async ValueTask<MilterOutcome?> RecipientAsync(AcceptedRecipient recipient, CancellationToken cancel)
    {
        await BeginAsync(options.RecipientTimeout, cancel).ConfigureAwait(false);
        if (_last is not null)
            return _last.IsRefusal ? _last : null;
        var word = await _dialogue!.RecipientAsync(recipient).ConfigureAwait(false);
        if (word is null or { IsRefusal: true })
            return word;
        _last = word;
        return null;
    }

    /// <summary>The message is whole.</summary>
    /// <param name="changes">Begins what gets the changes that the milter wants.</param>
    public async ValueTask<MilterOutcome> MessageAsync(ReceivedMessage message, Func<MilterChannel, MilterChanges> changes, CancellationToken cancel)
    {
        await BeginAsync(options.MessageTimeout, cancel).ConfigureAwait(false);
        var wanted = changes(_channel!);
        return _last ?? await _dialogue!.MessageAsync(message, wanted).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        if (_channel is null)
            return;
        await using var closing = _channel.ConfigureAwait(false);
        if (IsBroken)
            return;
        try
        {
            _channel.Limit(GoodbyeTimeout, CancellationToken.None);
            await _dialogue!.QuitAsync().ConfigureAwait(false);
        }
        catch (Exception error) when (error is IOException or OperationCanceledException)
        {
        }
    }

    private async ValueTask BeginAsync(TimeSpan time, CancellationToken cancel)
    {
        if (_channel is not null)
        {
            _channel.Limit(time, cancel);
            return;
        }
        var name = await peer.NameOfAsync(envelope, cancel).ConfigureAwait(false);
        _channel = new(await peer.ConnectAsync(options.ConnectTimeout, cancel).ConfigureAwait(false), options);
        _channel.Limit(time, cancel);
        _dialogue = new(_channel, envelope, name);
        _last = await _dialogue.BeginAsync().ConfigureAwait(false);
    }
}
