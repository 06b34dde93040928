using System.Net.Http.Headers;
using System.Text.Json;
using EventMail.EventStore;
using EventMail.Host.Cli;
using EventMail.Host.Configuration;
using EventMail.Host.Http.Capture;
using EventMail.Projections.Capture;
using Microsoft.Extensions.Logging;

namespace EventMail.Host.Capture;

/// <summary>
/// Offers each message to one URL, in order, each until it is taken or given up. What waits is a position in the messages that are
/// kept anyway: a receiver that is away costs no memory.
/// </summary>
internal sealed class Webhook : IAsyncDisposable
{
    private static readonly TimeSpan LongestBackoff = TimeSpan.FromMinutes(1);
    private static readonly CapturedFilter All = new();

    private readonly CapturedMessages _messages;
    private readonly MessageDocuments _documents;
    private readonly CaptureSettings _settings;
    private readonly Uri _url;
    private readonly string _shown;
    private readonly ILogger _log;
    private readonly HttpClient _client;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _work;

    public Webhook(Uri url, CapturedMessages messages, MessageDocuments documents, CaptureSettings settings, ILogger log)
    {
        (_url, _messages, _documents, _settings, _log) = (url, messages, documents, settings, log);
        // A query or a user's name may be a secret.
        _shown = url.GetComponents(UriComponents.SchemeAndServer | UriComponents.Path, UriFormat.UriEscaped);
        // Where it is told to go and nowhere else.
        _client = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseProxy = false, UseCookies = false }) { Timeout = settings.WebhookTimeout };
        _client.DefaultRequestHeaders.UserAgent.Add(new("EventMail", VersionCommand.Version));
        _work = RunAsync(messages.Last, _stop.Token);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _work.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing); // it was told to stop
        _client.Dispose();
        _stop.Dispose();
    }

    private async Task RunAsync(long position, CancellationToken stop)
    {
        while (true)
        {
            var changed = _messages.Changed;
            var waiting = _messages.After(position, All, int.MaxValue);
            if (waiting.Count > _settings.WebhookQueue)
            {
                _log.WebhookPassedOver(_shown, waiting.Count - _settings.WebhookQueue);
                waiting = [.. waiting.Skip(waiting.Count - _settings.WebhookQueue)];
            }
            if (waiting.Count == 0)
            {
                await changed.WaitAsync(stop);
                continue;
            }
            await OfferAsync(waiting[0], stop);
            position = waiting[0].Id;
        }
    }

    private async Task OfferAsync(CapturedMail mail, CancellationToken stop)
    {
        var wait = _settings.WebhookBackoff;
        for (var attempt = 1; ; attempt++)
        {
            if (await TryAsync(mail, stop) is not { } reason)
                return;
            _log.WebhookFailed(_shown, attempt, mail.Id, reason);
            if (attempt >= _settings.WebhookAttempts)
            {
                _log.WebhookGaveUp(_shown, mail.Id, attempt);
                return;
            }
            await Task.Delay(wait, stop);
            wait = wait * 2 < LongestBackoff ? wait * 2 : LongestBackoff;
        }
    }

    // Null when it was taken, or is gone; else why not.
    private async Task<string?> TryAsync(CapturedMail mail, CancellationToken stop)
    {
        try
        {
            using var body = new ByteArrayContent(JsonSerializer.SerializeToUtf8Bytes(await _documents.OfAsync(mail, stop), CaptureJson.Plain.MessageDocument));
            body.Headers.ContentType = new MediaTypeHeaderValue("application/json");
            using var answer = await _client.PostAsync(_url, body, stop);
            return answer.IsSuccessStatusCode ? null : $"status {(int)answer.StatusCode}";
        }
        catch (ContentUnreadableException)
        {
            return null;
        }
        catch (Exception error) when (error is HttpRequestException or IOException || (error is OperationCanceledException && !stop.IsCancellationRequested))
        {
            return error is OperationCanceledException ? "no answer in time" : error.Message;
        }
    }
}
