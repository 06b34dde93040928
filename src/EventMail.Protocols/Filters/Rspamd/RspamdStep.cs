using EventMail.Protocols.Smtp.Reception;
using Microsoft.Extensions.Logging;

namespace EventMail.Protocols.Filters.Rspamd;

/// <summary>Has rspamd judge a message as it came.</summary>
public sealed class RspamdStep(RspamdOptions options, ILogger log) : IReceptionStep, IDisposable
{
    private const string Name = "rspamd";

    private readonly RspamdClient _client = new(options);

    public async ValueTask<StepResult> RunAsync(ReceivedMessage message, CancellationToken cancel)
    {
        var envelope = message.Envelope;
        if (message.Size > options.MaxSize)
            return StepResult.Accepted with { Verdict = new(Name, "unchecked") };
        using var time = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        time.CancelAfter(options.Timeout);
        try
        {
            var reply = await _client.CheckAsync(message, time.Token).ConfigureAwait(false);
            log.Filtered(Name, envelope.Id, envelope.Client.Address.ToString(), $"{reply.Action} ({reply.Score} of {reply.Required})");
            return ResultOf(reply) with { Verdict = reply.Verdict };
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return Unavailable("no answer in time");
        }
        catch (Exception error) when (error is HttpRequestException or IOException or InvalidDataException)
        {
            return Unavailable(error.Message);
        }

        StepResult Unavailable(string reason)
        {
            log.FilterUnavailable(Name, envelope.Id, envelope.Client.Address.ToString(), reason);
            return FilterReplies.WhenMissing(options.WhenUnavailable, Name, Name);
        }
    }

    public void Dispose() => _client.Dispose();

    private StepResult ResultOf(RspamdReply reply)
    {
        var outcome = options.OutcomeOf(reply.Action);
        return outcome switch
        {
            FilterOutcome.Refuse => StepResult.Refused(
                Name, reply.Message is { Length: > 0 } text ? FieldText.Reply("550", "5.7.1", text) : FilterReplies.Refused),
            FilterOutcome.TryLater => StepResult.Refused(
                Name, reply.Message is { Length: > 0 } text ? FieldText.Reply("451", "4.7.1", text) : FilterReplies.TryLater),
            FilterOutcome.Discard => new(Disposition.Discard, Name),
            _ => new(outcome == FilterOutcome.Junk ? Disposition.Junk : Disposition.Accept, Name)
            {
                Edit = message => RspamdEdits.Apply(message, reply, outcome == FilterOutcome.Junk),
            },
        };
    }
}
