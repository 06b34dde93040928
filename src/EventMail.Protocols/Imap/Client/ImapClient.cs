using System.Globalization;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using EventMail.Protocols.Imap.Grammar;

namespace EventMail.Protocols.Imap.Client;

/// <summary>A small IMAP4rev1 client that reads mailboxes and changes nothing: what an import needs. Not thread-safe.</summary>
public sealed class ImapClient : IAsyncDisposable
{
    private const int MaxResponse = 4 * 1024 * 1024;

    private static readonly string[] SpecialUses = [@"\archive", @"\drafts", @"\junk", @"\sent", @"\trash"];

    private readonly ImapClientWire _wire;
    private readonly ImapClientOptions _options;
    private HashSet<string> _capabilities = new(StringComparer.OrdinalIgnoreCase);
    private int _tag;

    private ImapClient(ImapClientWire wire, ImapClientOptions options) => (_wire, _options) = (wire, options);

    /// <exception cref="ImapClientException">It cannot be reached, or not with TLS.</exception>
    public static async Task<ImapClient> ConnectAsync(ImapClientOptions options, CancellationToken cancel)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
            limit.CancelAfter(options.ConnectTimeout);
            await socket.ConnectAsync(options.Host, options.Port, limit.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is SocketException || (e is OperationCanceledException && !cancel.IsCancellationRequested))
        {
            socket.Dispose();
            throw new ImapClientException($"{options.Host}:{options.Port} cannot be reached: {e.Message}", e);
        }
        var client = new ImapClient(new(new NetworkStream(socket, ownsSocket: true), options.Patience), options);
        try
        {
            await client.OpenAsync(cancel).ConfigureAwait(false);
            return client;
        }
        catch
        {
            await client.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    private async Task OpenAsync(CancellationToken cancel)
    {
        if (_options.Tls == ImapClientTls.Implicit)
            await _wire.StartTlsAsync(TlsOptions(), cancel).ConfigureAwait(false);
        var greeting = Encoding.UTF8.GetString(await _wire.ReadLineAsync(cancel).ConfigureAwait(false));
        if (!greeting.StartsWith("* OK", StringComparison.OrdinalIgnoreCase))
            throw new ImapClientException($"The server does not want us: {greeting}");
        if (_options.Tls == ImapClientTls.StartTls)
        {
            await RunAsync("STARTTLS", null, cancel).ConfigureAwait(false);
            await _wire.StartTlsAsync(TlsOptions(), cancel).ConfigureAwait(false);
        }
        await CapabilitiesAsync(cancel).ConfigureAwait(false);
    }

    private SslClientAuthenticationOptions TlsOptions()
    {
        var policy = new X509ChainPolicy { DisableCertificateDownloads = true, RevocationMode = X509RevocationMode.NoCheck };
        if (_options.TrustAnchors is { } anchors)
        {
            policy.TrustMode = X509ChainTrustMode.CustomRootTrust;
            policy.CustomTrustStore.AddRange(anchors);
        }
        return new() { TargetHost = _options.Host, EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13, CertificateChainPolicy = policy };
    }

    private Task CapabilitiesAsync(CancellationToken cancel) => RunAsync("CAPABILITY", response =>
    {
        if (Is(response.Word(), "CAPABILITY"))
            _capabilities = response.Rest().Split(' ', StringSplitOptions.RemoveEmptyEntries).ToHashSet(StringComparer.OrdinalIgnoreCase);
    }, cancel);

    /// <summary>AUTHENTICATE PLAIN where it is offered, else LOGIN.</summary>
    /// <exception cref="ImapClientException">Refused.</exception>
    public async Task LogInAsync(string user, string password, CancellationToken cancel)
    {
        var plain = Convert.ToBase64String(Encoding.UTF8.GetBytes($"\0{user}\0{password}"));
        if (_capabilities.Contains("AUTH=PLAIN"))
            await RunAsync("AUTHENTICATE PLAIN", null, cancel, continuation: plain).ConfigureAwait(false);
        else if (_capabilities.Contains("LOGINDISABLED"))
            throw new ImapClientException("The server takes no password here: use TLS (--tls starttls or implicit)");
        else
            await RunAsync($"LOGIN {Quoted(user)} {Quoted(password)}", null, cancel).ConfigureAwait(false);
        await CapabilitiesAsync(cancel).ConfigureAwait(false);
    }

    public async Task<IReadOnlyList<RemoteMailbox>> ListAsync(CancellationToken cancel)
    {
        var mailboxes = new List<RemoteMailbox>();
        var uses = _capabilities.Contains("SPECIAL-USE") && _capabilities.Contains("LIST-EXTENDED") ? " RETURN (SPECIAL-USE)" : "";
        await RunAsync($"LIST \"\" \"*\"{uses}", response =>
        {
            if (!Is(response.Word(), "LIST"))
                return;
            var attributes = response.List();
            var separator = response.Word();
            if (response.WordOctets() is not { } name)
                return;
            mailboxes.Add(new(
                Encoding.Latin1.GetString(name), CommandParser.TryMailboxName(name, out var decoded) ? decoded : Encoding.Latin1.GetString(name),
                separator is { Length: 1 } ? separator[0] : null,
                !attributes.Exists(attribute => Is(attribute, @"\Noselect") || Is(attribute, @"\NonExistent")),
                attributes.Find(attribute => SpecialUses.Contains(attribute.ToLowerInvariant()))));
        }, cancel).ConfigureAwait(false);
        return mailboxes;
    }

    /// <summary>Opens a mailbox to be read.</summary>
    public async Task<ExaminedMailbox> ExamineAsync(RemoteMailbox mailbox, CancellationToken cancel)
    {
        var (validity, messages, next) = (0u, 0u, 0u);
        await RunAsync($"EXAMINE {Quoted(mailbox.WireName)}", response =>
        {
            var first = response.Word();
            if (Is(first, "OK"))
            {
                var code = response.Rest();
                validity = CodeOf(code, "[UIDVALIDITY ") ?? validity;
                next = CodeOf(code, "[UIDNEXT ") ?? next;
            }
            else if (first is not null && uint.TryParse(first, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && Is(response.Word(), "EXISTS"))
                messages = number;
        }, cancel).ConfigureAwait(false);
        return validity > 0 ? new(validity, messages, next) : throw new ImapClientException($"The server tells no UIDVALIDITY of {mailbox.Name}");
    }

    private static uint? CodeOf(string text, string code) =>
        text.StartsWith(code, StringComparison.OrdinalIgnoreCase) && text.IndexOf(']', StringComparison.Ordinal) is > 0 and var end ? Number(text[code.Length..end]) : null;

    /// <summary>What is known of messages between two UIDs without reading them; those that are gone are left out.</summary>
    public async Task<IReadOnlyList<RemoteMessage>> DescribeAsync(uint first, uint last, CancellationToken cancel)
    {
        var messages = new List<RemoteMessage>();
        await RunAsync(string.Create(CultureInfo.InvariantCulture, $"UID FETCH {first}:{last} (UID RFC822.SIZE INTERNALDATE FLAGS)"), response =>
        {
            if (MessageOf(response) is { } message && message.Uid >= first && message.Uid <= last)
                messages.Add(message);
        }, cancel).ConfigureAwait(false);
        messages.Sort((a, b) => a.Uid.CompareTo(b.Uid));
        return messages;
    }

    private static RemoteMessage? MessageOf(ResponseReader response)
    {
        response.Word();
        if (!Is(response.Word(), "FETCH") || !response.TryTake('('))
            return null;
        var (uid, size, flags) = (0u, 0L, new List<string>());
        DateTimeOffset? date = null;
        while (response.Word() is { } item)
        {
            if (Is(item, "FLAGS"))
                flags = response.List();
            else if (Is(item, "UID"))
                uid = Number(response.Word() ?? "");
            else if (Is(item, "RFC822.SIZE"))
                size = Number(response.Word() ?? "");
            else if (Is(item, "INTERNALDATE"))
                date = DateTimeOffset.TryParseExact(
                    response.Word()?.Trim(), "d-MMM-yyyy HH:mm:ss zzz", CultureInfo.InvariantCulture, DateTimeStyles.None, out var time) ? time : null;
            else
                return null;
        }
        return uid == 0 ? null : new(uid, size, date, flags);
    }

    /// <summary>A message's octets, as they come.</summary>
    /// <returns>False when it is gone.</returns>
    public async Task<bool> ReadAsync(uint uid, Func<ReadOnlyMemory<byte>, CancellationToken, ValueTask> take, CancellationToken cancel)
    {
        var tag = NextTag();
        await _wire.SendAsync(string.Create(CultureInfo.InvariantCulture, $"{tag} UID FETCH {uid} (UID BODY.PEEK[])"), cancel).ConfigureAwait(false);
        var found = false;
        while (true)
        {
            var line = await _wire.ReadLineAsync(cancel).ConfigureAwait(false);
            if (IsEnd(line, tag))
                return found;
            for (var wanted = IsBody(line); ImapClientWire.LiteralOf(line) is { } length; wanted = IsBody(line))
            {
                await _wire.ReadLiteralAsync(length, wanted && !found ? take : null, cancel).ConfigureAwait(false);
                found |= wanted;
                line = await _wire.ReadLineAsync(cancel).ConfigureAwait(false);
            }
        }
    }

    private static bool IsBody(byte[] line) => Encoding.Latin1.GetString(line).Contains("BODY[] ", StringComparison.OrdinalIgnoreCase);

    /// <summary>Says good bye; how the server answers is all the same.</summary>
    public ValueTask LogOutAsync(CancellationToken cancel) => _wire.SendAsync($"{NextTag()} LOGOUT", cancel);

    private string NextTag() => string.Create(CultureInfo.InvariantCulture, $"m{++_tag}");

    private async Task RunAsync(
        string command, Action<ResponseReader>? untagged, CancellationToken cancel, int limit = MaxResponse, string? continuation = null)
    {
        var tag = NextTag();
        await _wire.SendAsync($"{tag} {command}", cancel).ConfigureAwait(false);
        while (true)
        {
            var response = await ResponseAsync(limit, cancel).ConfigureAwait(false);
            if (response is [(byte)'+', ..] && continuation is not null)
            {
                await _wire.SendAsync(continuation, cancel).ConfigureAwait(false);
                continuation = null;
            }
            else if (IsEnd(response, tag))
            {
                return;
            }
            else if (response is [(byte)'*', (byte)' ', ..])
            {
                untagged?.Invoke(new(response[2..]));
            }
        }
    }

    // A line with its literals as quoted strings.
    private async ValueTask<byte[]> ResponseAsync(int limit, CancellationToken cancel)
    {
        var line = await _wire.ReadLineAsync(cancel).ConfigureAwait(false);
        if (ImapClientWire.LiteralOf(line) is null)
            return line;
        var whole = new MemoryStream();
        while (ImapClientWire.LiteralOf(line) is { } length)
        {
            if (whole.Length + length > limit)
                throw new ImapClientException($"The server sent a response of more than {limit} octets");
            whole.Write(line.AsSpan(0, line.AsSpan().LastIndexOf((byte)'{')));
            whole.WriteByte((byte)'"');
            await _wire.ReadLiteralAsync(length, (octets, _) =>
            {
                foreach (var octet in octets.Span)
                {
                    if (octet is (byte)'"' or (byte)'\\')
                        whole.WriteByte((byte)'\\');
                    whole.WriteByte(octet);
                }
                return default;
            }, cancel).ConfigureAwait(false);
            whole.WriteByte((byte)'"');
            line = await _wire.ReadLineAsync(cancel).ConfigureAwait(false);
        }
        whole.Write(line);
        return whole.ToArray();
    }

    private static bool IsEnd(byte[] line, string tag)
    {
        var text = Encoding.UTF8.GetString(line);
        if (text.StartsWith("* BYE", StringComparison.OrdinalIgnoreCase))
            throw new ImapClientException($"The server ended the connection: {text[5..].Trim()}");
        if (!text.StartsWith(tag + " ", StringComparison.Ordinal))
            return false;
        var answer = text[(tag.Length + 1)..];
        return answer.StartsWith("OK", StringComparison.OrdinalIgnoreCase) ? true : throw new ImapClientException($"The server says: {answer}")
        {
            Refused = answer.StartsWith("NO ", StringComparison.OrdinalIgnoreCase),
        };
    }

    private static bool Is(string? word, string wanted) => string.Equals(word, wanted, StringComparison.OrdinalIgnoreCase);

    private static uint Number(string text) => uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0;

    private static string Quoted(string text)
    {
        if (text.AsSpan().IndexOfAny('\r', '\n', '\0') >= 0)
            throw new ImapClientException("A name or password with line ends cannot be sent");
        return $"\"{text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";
    }

    public ValueTask DisposeAsync() => _wire.DisposeAsync();
}
