using System.Globalization;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using EventMail.Domain.Webhooks;
using EventMail.EventStore;
using EventMail.Host.Cli;
using EventMail.Host.Configuration;
using EventMail.Host.Http.Admin.Log;
using EventMail.Projections.Webhooks;
using Microsoft.Extensions.Logging;

namespace EventMail.Host.Webhooks;

/// <summary>
/// Tells one webhook of the log: in its order, one event a request, each until it is taken or is a dead letter, from the position that is
/// stored. What waits is in the log: a receiver that is away costs no memory. A request may come twice (webhook-id is the same then).
/// </summary>
internal sealed class WebhookSender(
    Webhook hook, byte[] secret, EventTypeMap types, LogTail tail, WebhookProgress progress, WebhookSettings settings, WebhookTargets targets, ILogger log) : IDisposable
{
    // Dead letters that are tried again between two pages of the log.
    private const int AgainAtOnce = 100;

    private readonly LogFilter _filter = new(hook.Types is null ? null : types.StoredAs(hook.Types).ToHashSet(StringComparer.Ordinal), hook.Account, null);

    // Where it is told to go and nowhere else.
    private readonly HttpClient _client =
        new(new SocketsHttpHandler { AllowAutoRedirect = false, UseProxy = false, UseCookies = false, ConnectCallback = targets.ConnectAsync }) { Timeout = settings.Timeout };

    // A query may be a secret.
    private readonly string _shown = new Uri(hook.Url).GetComponents(UriComponents.SchemeAndServer | UriComponents.Path, UriFormat.UriEscaped);

    public void Dispose() => _client.Dispose();

    /// <summary>Until it is cancelled.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        var position = await progress.PositionAsync(hook.Id, stop) ?? hook.From;
        await foreach (var (entries, end) in tail.FollowAsync(position, _filter, settings.Poll, stop))
        {
            foreach (var entry in entries)
            {
                await TellAsync(entry, stop);
                position = entry.Event.Sequence;
            }
            if (end > position)
                await progress.MoveAsync(hook.Id, position = end, stop);
            await TryAgainAsync(stop);
        }
    }

    private async Task TellAsync(LogEntry entry, CancellationToken stop)
    {
        var body = entry.ToJson(types);
        for (var attempt = 1; ; attempt++)
        {
            if (await SendAsync(entry, body, stop) is not { } reason)
            {
                await progress.MoveAsync(hook.Id, entry.Event.Sequence, stop);
                return;
            }
            log.Failed(_shown, attempt, entry.Event.Sequence, reason);
            if (attempt > settings.Schedule.Each.Count)
            {
                log.Buried(_shown, entry.Event.Sequence, attempt);
                await progress.BuryAsync(hook.Id, entry.Event.Sequence, entry.Event.Type, attempt, reason, stop);
                return;
            }
            await Task.Delay(settings.Schedule.Each[attempt - 1], stop);
        }
    }

    // One attempt each: whoever asked for it sees in the list what became of it.
    private async Task TryAgainAsync(CancellationToken stop)
    {
        foreach (var letter in await progress.DeadAsync(hook.Id, again: true, AgainAtOnce, stop))
        {
            if (await tail.FindAsync(letter.Position, stop) is not { } entry || await SendAsync(entry, entry.ToJson(types), stop) is not { } reason)
                await progress.ResolveAsync(hook.Id, letter.Position, stop);
            else
                await progress.FailAgainAsync(hook.Id, letter.Position, reason, stop);
        }
    }

    // Null when it was taken; else why not.
    private async Task<string?> SendAsync(LogEntry entry, ReadOnlyMemory<byte> body, CancellationToken stop)
    {
        var (id, time) = ($"{hook.Id}-{entry.Event.Sequence.ToString(CultureInfo.InvariantCulture)}", DateTimeOffset.UtcNow.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture));
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, hook.Url) { Content = new ReadOnlyMemoryContent(body) };
            request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
            request.Headers.UserAgent.Add(new("EventMail", VersionCommand.Version));
            // https://www.standardwebhooks.com: so that receivers can check it with what there is.
            request.Headers.Add("webhook-id", id);
            request.Headers.Add("webhook-timestamp", time);
            request.Headers.Add("webhook-signature", $"v1,{Sign(secret, id, time, body.Span)}");
            using var answer = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, stop);
            return answer.IsSuccessStatusCode ? null : $"status {(int)answer.StatusCode}";
        }
        catch (Exception error) when (error is HttpRequestException or IOException || (error is OperationCanceledException && !stop.IsCancellationRequested))
        {
            return error is OperationCanceledException ? "no answer in time" : error.Message;
        }
    }

    private static string Sign(byte[] secret, string id, string time, ReadOnlySpan<byte> body)
    {
        byte[] signed = [.. Encoding.ASCII.GetBytes($"{id}.{time}."), .. body];
        return Convert.ToBase64String(HMACSHA256.HashData(secret, signed));
    }
}
