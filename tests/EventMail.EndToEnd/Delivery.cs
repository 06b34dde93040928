using System.Net;
using System.Text;
using EventMail.Testing.Transcripts;

namespace EventMail.EndToEnd;

/// <summary>Mail handed in as other servers do, and what came of it.</summary>
internal static class Delivery
{
    public const string Sender = "sender@example.org";

    /// <summary>Delivers with swaks: no touch of its own to what is sent.</summary>
    public static async Task SwaksAsync(IPEndPoint smtp, string recipient, byte[] message, string folder)
    {
        var file = Path.Combine(folder, Guid.NewGuid().ToString("N"));
        await File.WriteAllBytesAsync(file, DotStuffed(message));
        await ClientProgram.RunAsync("swaks",
        [
            "--server", smtp.Address.ToString(), "--port", smtp.Port.ToString(System.Globalization.CultureInfo.InvariantCulture),
            "--from", Sender, "--to", recipient, "--helo", "client.example.org", "--no-data-fixup", "--data", "@" + file, "--suppress-data",
        ]);
    }

    /// <summary>Delivers over a connection of the tests' own; returns at the 250.</summary>
    /// <param name="message">With CRLF, and no line that begins with a dot.</param>
    public static async Task SendAsync(IPEndPoint smtp, string recipient, string message)
    {
        await using var client = await ScriptedClient.ConnectAsync(smtp);
        await client.ExpectMatchAsync("220 .*");
        await SayAsync("HELO client.example.org", "250 .*");
        await SayAsync($"MAIL FROM:<{Sender}>", "250 .*");
        await SayAsync($"RCPT TO:<{recipient}>", "250 .*");
        await SayAsync("DATA", "354 .*");
        await SayAsync(message + ".", "250 .*");
        await SayAsync("QUIT", "221 .*");

        async Task SayAsync(string line, string answer)
        {
            await client.SendLineAsync(line);
            await client.ExpectMatchAsync(answer);
        }
    }

    /// <summary>What the server adds at the top, and nothing else, stands before the message.</summary>
    public static void ShouldBeAsSent(string received, byte[] sent, string name)
    {
        var message = Encoding.Latin1.GetString(sent);
        received.ShouldEndWith(message, Case.Sensitive, name);
        received[..^message.Length].ShouldMatch(@"\AReturn-Path: <sender@example\.org>\r\n(?:Delivered-To: .*\r\n)?Received: (?:.*\r\n)(?:[ \t].*\r\n)*\z", name);
    }

    private static byte[] DotStuffed(byte[] message)
    {
        var text = Encoding.Latin1.GetString(message).Replace("\r\n.", "\r\n..");
        return Encoding.Latin1.GetBytes((text.StartsWith('.') ? "." + text : text) + ".\r\n");
    }
}
