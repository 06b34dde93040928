using System.Net.Sockets;
using EventMail.Protocols.Smtp.Data;
using EventMail.Protocols.Smtp.Reception;
using Microsoft.Extensions.Logging;

namespace EventMail.Protocols.Filters.Milter;

/// <summary>Has one milter look at a message, and does to it what the milter wants.</summary>
public sealed class MilterStep : IReceptionStep
{
    private const string By = "milter";

    private readonly string _name;
    private readonly Func<CancellationToken, ValueTask<Stream>> _connect;
    private readonly SpoolSpace _spool;
    private readonly MilterOptions _options;
    private readonly ILogger _log;

    public MilterStep(MilterAddress address, SpoolSpace spool, MilterOptions options, ILogger log)
        : this(address.ToString(), address.ConnectAsync, spool, options, log)
    {
    }

    internal MilterStep(string name, Func<CancellationToken, ValueTask<Stream>> connect, SpoolSpace spool, MilterOptions options, ILogger log) =>
        (_name, _connect, _spool, _options, _log) = (name, connect, spool, options, log);

    public bool SeesEdits => true;

    public async ValueTask<StepResult> RunAsync(ReceivedMessage message, CancellationToken cancel)
    {
        try
        {
            return await AskAsync(message, cancel).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return Unavailable(message, "no answer in time");
        }
        catch (Exception error) when (error is SocketException or IOException or InvalidDataException)
        {
            return Unavailable(message, error.Message);
        }
    }

    private async ValueTask<StepResult> AskAsync(ReceivedMessage message, CancellationToken cancel)
    {
        var stream = await ConnectAsync(cancel).ConfigureAwait(false);
        await using var closing = stream.ConfigureAwait(false);
        using var channel = new MilterChannel(stream, _options, cancel);
        MilterChanges? changes = null;
        try
        {
            var outcome = await new MilterDialogue(channel, message).RunAsync(
                (granted, leadingSpace) => changes = new(_spool, _options, granted, leadingSpace)).ConfigureAwait(false);
            await SayGoodbyeAsync(channel).ConfigureAwait(false);
            return ResultOf(message, outcome, changes!);
        }
        finally
        {
            if (changes is not null)
                await changes.DisposeAsync().ConfigureAwait(false);
        }
    }

    private async ValueTask<Stream> ConnectAsync(CancellationToken cancel)
    {
        using var time = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        time.CancelAfter(_options.ConnectTimeout);
        return await _connect(time.Token).ConfigureAwait(false);
    }

    // Its word stands: whether it hears that we go does not matter.
    private static async ValueTask SayGoodbyeAsync(MilterChannel channel)
    {
        try
        {
            await channel.Wire.FlushAsync(channel.Soon()).ConfigureAwait(false);
        }
        catch (Exception error) when (error is IOException or OperationCanceledException)
        {
        }
    }

    private StepResult ResultOf(ReceivedMessage message, MilterOutcome outcome, MilterChanges changes)
    {
        var isKept = outcome.Kind == FilterOutcome.Accept;
        var word = isKept && changes.Quarantine is not null ? "quarantine" : outcome.Word;
        var envelope = message.Envelope;
        _log.Filtered(_name, envelope.Id, envelope.Client.Address.ToString(), isKept && changes.Quarantine is { } why ? $"{word} ({why})" : word);
        // Nobody else looks at the message meanwhile.
        if (isKept)
            changes.ApplyTo(message);
        var result = outcome.Kind switch
        {
            FilterOutcome.Discard => new StepResult(Disposition.Discard, By),
            FilterOutcome.Accept => changes.Quarantine is null ? StepResult.Accepted : new(Disposition.Junk, By),
            _ => StepResult.Refused(By, outcome.Reply ?? FilterReplies.Refused),
        };
        return result with { Verdict = new(_name, word) };
    }

    private StepResult Unavailable(ReceivedMessage message, string reason)
    {
        var envelope = message.Envelope;
        _log.FilterUnavailable(_name, envelope.Id, envelope.Client.Address.ToString(), reason);
        return FilterReplies.WhenMissing(_options.WhenUnavailable, By, _name);
    }
}
