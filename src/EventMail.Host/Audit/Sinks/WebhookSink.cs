using System.Net.Http.Headers;
using System.Text;
using EventMail.EventStore.Proof;
using EventMail.Host.Cli;
using EventMail.Host.Configuration;

namespace EventMail.Host.Audit;

/// <summary>Gives checkpoints to a URL, each as the text that was signed, with its signature.</summary>
internal sealed class WebhookSink : IDisposable
{
    private readonly Uri _url;
    private readonly HttpClient _client;

    private WebhookSink(Uri url, TimeSpan timeout)
    {
        _url = url;
        // Where it is told to go and nowhere else.
        _client = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseProxy = false, UseCookies = false, PooledConnectionIdleTimeout = TimeSpan.FromMinutes(1) }) { Timeout = timeout };
        _client.DefaultRequestHeaders.UserAgent.Add(new("EventMail", VersionCommand.Version));
    }

    /// <summary>For the log: a query or a user's name may be a secret.</summary>
    public string Name => $"the webhook {_url.GetComponents(UriComponents.SchemeAndServer | UriComponents.Path, UriFormat.UriEscaped)} (Audit:Webhook)";

    /// <summary>Null where none is set.</summary>
    /// <exception cref="SettingsException">The URL cannot be used.</exception>
    public static WebhookSink? Of(AuditSettings settings)
    {
        if (settings.Webhook.Length == 0)
            return null;
        // Who reads or changes what goes there could hold other checkpoints against us.
        return Uri.TryCreate(settings.Webhook, UriKind.Absolute, out var url) && (url.Scheme == Uri.UriSchemeHttps || (url.Scheme == Uri.UriSchemeHttp && url.IsLoopback))
            ? new(url, settings.WebhookTimeout)
            : throw new SettingsException("Audit:Webhook is no URL of https (or of http on this machine).");
    }

    public async Task SendAsync(SignedCheckpoint checkpoint, CancellationToken cancel)
    {
        using var body = new ByteArrayContent(Encoding.UTF8.GetBytes(checkpoint.ToString()));
        body.Headers.ContentType = new MediaTypeHeaderValue("text/plain", "utf-8");
        using var request = new HttpRequestMessage(HttpMethod.Post, _url) { Content = body };
        using var answer = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancel);
        if (!answer.IsSuccessStatusCode)
            throw new HttpRequestException($"it answered with status {(int)answer.StatusCode}");
    }

    public void Dispose() => _client.Dispose();
}
