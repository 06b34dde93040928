using System.Text;
using EventMail.Protocols.Smtp.Client;
using EventMail.Testing;

namespace EventMail.Protocols.Tests.Smtp.Client;

/// <summary>What the tests of the client share.</summary>
internal static class ClientTesting
{
    /// <summary>For what never comes: nothing that is to succeed may be measured by it.</summary>
    public static readonly TimeSpan Soon = TimeSpan.FromMilliseconds(400);

    public static readonly ClientTimeouts Patient = new()
    {
        Connect = Waiting.Limit,
        Greeting = Waiting.Limit,
        Command = Waiting.Limit,
        Handshake = Waiting.Limit,
        Mail = Waiting.Limit,
        Rcpt = Waiting.Limit,
        DataInitiation = Waiting.Limit,
        DataBlock = Waiting.Limit,
        DataTermination = Waiting.Limit,
        Quit = TimeSpan.FromSeconds(2),
    };

    public static ClientOptions Options { get; } = new() { HelloName = "client.example.org", Timeouts = Patient };

    public static async Task<SmtpClient> ConnectAsync(RemoteHost host, ClientOptions? options = null)
    {
        var (client, fault) = await SmtpClient.ConnectAsync(host, options ?? Options, CancellationToken.None);
        fault.ShouldBeNull();
        return client.ShouldNotBeNull();
    }

    public static async Task<ClientFault> FailAsync(RemoteHost host, ClientOptions? options = null)
    {
        var (client, fault) = await SmtpClient.ConnectAsync(host, options ?? Options, CancellationToken.None);
        client.ShouldBeNull();
        return fault.ShouldNotBeNull();
    }

    public static OutgoingMessage Message(string text, params string[] recipients) => Message(Encoding.Latin1.GetBytes(text), recipients);

    public static OutgoingMessage Message(byte[] octets, params string[] recipients) => new()
    {
        Sender = "sender@example.org",
        Recipients = [.. recipients.DefaultIfEmpty("alice@example.com").Select(address => new OutgoingRecipient(address))],
        Content = _ => Pieces(octets),
        Size = octets.Length,
    };

    public static OutgoingMessage Small(params string[] recipients) => Message("Subject: x\r\n\r\n.dot\r\nbody\r\n", recipients);

    /// <summary>In pieces of sizes that are no multiples of each other.</summary>
    public static async IAsyncEnumerable<ReadOnlyMemory<byte>> Pieces(byte[] octets, int size = 1000)
    {
        for (var at = 0; at < octets.Length; at += size)
        {
            await Task.Yield();
            yield return octets.AsMemory(at, Math.Min(size, octets.Length - at));
        }
    }

    public static Task<TransactionResult> SendAsync(this SmtpClient client, OutgoingMessage message) => client.SendAsync(message, CancellationToken.None);

    public static RecipientResult Only(this TransactionResult result) => result.Recipients.ShouldHaveSingleItem();
}
