using System.Globalization;
using System.Text;
using EventMail.Protocols.Smtp;
using EventMail.Protocols.Smtp.Reception;

namespace EventMail.Protocols.Filters.Rspamd;

/// <summary>Asks an rspamd over HTTP (POST /checkv2). Thread-safe.</summary>
internal sealed class RspamdClient : IDisposable
{
    // Its answer: a few KiB, more with many rules and fields.
    private const int MaxReply = 1 << 20;

    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(5);

    private readonly RspamdOptions _options;
    private readonly HttpClient _http;
    private readonly Uri _check;

    public RspamdClient(RspamdOptions options)
    {
        _options = options;
        _check = new(options.Address, "/checkv2");
        _http = new(new SocketsHttpHandler
        {
            UseProxy = false,
            UseCookies = false,
            AllowAutoRedirect = false,
            ConnectTimeout = ConnectTimeout,
            MaxConnectionsPerServer = options.MaxConcurrent,
            // Addresses may be UTF-8 (RFC 6531).
            RequestHeaderEncodingSelector = (_, _) => Encoding.UTF8,
        })
        {
            // The caller's token ends it.
            Timeout = System.Threading.Timeout.InfiniteTimeSpan,
        };
    }

    /// <exception cref="HttpRequestException">It cannot be reached, or refuses.</exception>
    /// <exception cref="InvalidDataException">Its answer is none.</exception>
    public async ValueTask<RspamdReply> CheckAsync(ReceivedMessage message, CancellationToken cancel)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, _check) { Content = new MessageContent(message) };
        AddEnvelope(request, message.Envelope);
        using var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancel).ConfigureAwait(false);
        if (!response.IsSuccessStatusCode)
            throw new InvalidDataException(string.Create(CultureInfo.InvariantCulture, $"it answers {(int)response.StatusCode}"));
        return RspamdReply.Read(await ReadAsync(response.Content, cancel).ConfigureAwait(false));
    }

    public void Dispose() => _http.Dispose();

    private void AddEnvelope(HttpRequestMessage request, SmtpEnvelope envelope)
    {
        Add("From", envelope.ReversePath.IsNull ? "<>" : envelope.ReversePath.Mailbox);
        foreach (var recipient in envelope.Recipients)
            Add("Rcpt", recipient.Address);
        if (envelope.Recipients is [{ Locals: [var local] }])
            Add("Deliver-To", local.Address);
        Add("IP", envelope.Client.Address.ToString());
        Add("Helo", envelope.ClientName);
        Add("Queue-Id", envelope.Id);
        Add("MTA-Name", envelope.Hostname);
        if (envelope.Account is not null)
            Add("User", envelope.Actor.UserName ?? envelope.Account);
        if (envelope.Cipher is { } cipher)
            Add("TLS-Cipher", cipher.ToString());
        if (_options.SettingsId.Length > 0)
            Add("Settings-ID", _options.SettingsId);
        if (_options.Password is { Length: > 0 } password)
            Add("Password", password);

        void Add(string name, string value) => request.Headers.TryAddWithoutValidation(name, value);
    }

    private static async ValueTask<ReadOnlyMemory<byte>> ReadAsync(HttpContent content, CancellationToken cancel)
    {
        using var stream = await content.ReadAsStreamAsync(cancel).ConfigureAwait(false);
        var buffer = new byte[16 * 1024];
        for (var length = 0; ;)
        {
            var count = await stream.ReadAsync(buffer.AsMemory(length), cancel).ConfigureAwait(false);
            if (count == 0)
                return buffer.AsMemory(0, length);
            length += count;
            if (length > MaxReply)
                throw new InvalidDataException("its answer is too long");
            if (length == buffer.Length)
                Array.Resize(ref buffer, 2 * length);
        }
    }
}
