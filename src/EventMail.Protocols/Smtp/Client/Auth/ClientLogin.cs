using System.Text;

namespace EventMail.Protocols.Smtp.Client.Auth;

/// <summary>AUTH as a client (RFC 4954).</summary>
internal sealed class ClientLogin(SmtpClient client, ClientOptions options)
{
    // RFC 4954 §4: beyond 512 octets of line there is no initial response.
    private const int MaxLine = 510;
    private const int MaxSteps = 10;
    private const long MaxToken = 64 * 1024;

    /// <returns>Null when we are logged in. Faults are never permanent: that a login fails is ours to mend, not the sender's.</returns>
    public static async Task<ClientFault?> RunAsync(SmtpClient client, ClientCredentials credentials, ClientOptions options, CancellationToken cancel)
    {
        string? token = null;
        if (credentials.TokenFile is { } file)
        {
            (token, var problem) = await ReadTokenAsync(file, cancel).ConfigureAwait(false);
            if (token is null)
            {
                return Fault(0, "4.7.0", problem!);
            }
        }

        var offered = client.Extensions.Mechanisms;
        RemoteReply? refusal = null;
        foreach (var mechanism in MechanismChoice.Of(offered, credentials, token, client.Host, client.Wire.Ssl, options.Limits))
        {
            var reply = await new ClientLogin(client, options).ExchangeAsync(mechanism).ConfigureAwait(false);
            if (reply.IsPositive)
            {
                client.IsLoggedIn = true;
                return null;
            }

            refusal = reply;
            // RFC 4954 §4, §6: 504 and 534 speak of the mechanism. Anything else is the answer, and more tries may lock the account.
            if (reply.Code is not (504 or 534))
            {
                break;
            }
        }

        return refusal is null
            ? Fault(0, "4.7.4", $"No way to log in: offered {(offered.Count == 0 ? "nothing" : ReplyText.OneLine(string.Join(' ', offered), 200))}"
                + (client.Tls is null ? ", and without TLS neither a password nor a token is sent" : ""))
            : Fault(refusal.Code, refusal.Code == 0 ? refusal.Enhanced! : EnhancedCode.InClass(Verdict.EnhancedOf(refusal), '4'), refusal.Text);
    }

    private async Task<RemoteReply> ExchangeAsync(ClientMechanism mechanism)
    {
        var initial = mechanism.Initial;
        var line = $"AUTH {mechanism.Name}{(initial is null ? "" : " " + Base64(initial))}";
        if (line.Length > MaxLine)
        {
            line = $"AUTH {mechanism.Name}";
        }
        else
        {
            initial = null;
        }

        var reply = await client.AskAsync(line, options.Timeouts.Command).ConfigureAwait(false);
        for (var step = 0; reply.Code == 334; step++)
        {
            var response = step >= MaxSteps ? null : initial ?? (TryDecode(reply, out var challenge) ? mechanism.Respond(challenge) : null);
            initial = null;
            if (response is null)
            {
                // RFC 4954 §4: "*" cancels, and is answered by 501.
                var end = await client.AskAsync("*", options.Timeouts.Command).ConfigureAwait(false);
                return end.Ends ? end : client.Wire.End(RemoteReply.Garbage($"The {mechanism.Name} exchange is not one: wrong nonce, signature or grammar"));
            }

            reply = await client.AskAsync(Base64(response), options.Timeouts.Command).ConfigureAwait(false);
        }

        if (reply is { IsPositive: true, Code: not 235 } or { IsIntermediate: true })
        {
            return client.Wire.End(Verdict.OutOfPlace(reply, "AUTH"));
        }

        // SMTP's 235 carries no data (RFC 4954 §4): the server's signature came by a 334 before it, or never.
        return reply.IsPositive && !mechanism.IsComplete
            ? client.Wire.End(RemoteReply.Garbage($"The server did not prove that it knows our password ({mechanism.Name})")) : reply;
    }

    private static bool TryDecode(RemoteReply reply, out byte[] challenge)
    {
        var text = reply.Lines.Count == 1 ? reply.Lines[0].Trim() : "!";
        challenge = new byte[text.Length];
        var right = Convert.TryFromBase64String(text, challenge, out var length);
        challenge = right ? challenge[..length] : [];
        return right;
    }

    private static string Base64(byte[] message) => Convert.ToBase64String(message);

    private static async Task<(string? Token, string? Problem)> ReadTokenAsync(string file, CancellationToken cancel)
    {
        try
        {
            if (new FileInfo(file).Length > MaxToken)
            {
                return (null, $"The token file {file} is larger than {MaxToken} octets");
            }

            var token = (await File.ReadAllTextAsync(file, Encoding.UTF8, cancel).ConfigureAwait(false)).Trim();
            // b64token (RFC 6750 §2.1): anything else in it would be another field of the message.
            return token.Length > 0 && !token.AsSpan().ContainsAnyExceptInRange('!', '~') ? (token, null) : (null, $"There is no token in {file}");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return (null, $"The token file cannot be read: {e.Message}");
        }
    }

    private static ClientFault Fault(int code, string enhanced, string text) => new(ClientStage.Auth, code, enhanced, text, Permanent: false);
}
