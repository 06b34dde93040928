using System.Net;
using System.Text;
using EventMail.Protocols.Smtp.Client;
using EventMail.Testing;

namespace EventMail.EndToEnd.Outbound;

/// <summary>The SMTP client against Postfix's smtp-sink, which fails on demand.</summary>
public sealed class SmtpSinkTests
{
    private const string Content = "Subject: x\r\n\r\n.dot\r\n..\r\nbody\r\n";

    [SmtpSinkTheory]
    [InlineData("")]
    [InlineData("-p")]
    [InlineData("-e")]
    [InlineData("-8")]
    public async Task Messages_arrive_over_one_connection(string option)
    {
        await using var sink = await SmtpSink.StartAsync(true, [.. option.Split(' ', StringSplitOptions.RemoveEmptyEntries)]);
        await using var client = await ConnectAsync(sink);
        client.Extensions.Pipelining.ShouldBe(option is not ("-p" or "-e"));
        for (var i = 0; i < 10; i++)
        {
            var result = await SendAsync(client, Content);
            result.Recipients.ShouldAllBe(recipient => recipient.Outcome == SendOutcome.Delivered);
        }

        await client.QuitAsync();
        // A file is written behind the sink's back: its last octets may come after the reply.
        await Waiting.UntilAsync(() => sink.Messages.Count(IsWhole) >= 10);
        sink.Messages.Count.ShouldBe(10);

        static bool IsWhole(byte[] message) =>
            Encoding.ASCII.GetString(message).Replace("\r\n", "\n").Contains(Content.Replace("\r\n", "\n"), StringComparison.Ordinal);
    }

    [SmtpSinkTheory]
    [InlineData("CONNECT", "greeting")]
    [InlineData("EHLO,HELO", "ehlo")]
    [InlineData("MAIL", "mail")]
    [InlineData("RCPT", "rcpt")]
    [InlineData("DATA", "data")]
    [InlineData(".", "final")]
    public async Task Each_stage_can_fail(string commands, string stage)
    {
        foreach (var (option, outcome) in new[]
        {
            ("-f", SendOutcome.Failed), ("-r", SendOutcome.Deferred), ("-Q", SendOutcome.Deferred), ("-q", stage == "final" ? SendOutcome.Unknown : SendOutcome.Deferred),
        })
        {
            await using var sink = await SmtpSink.StartAsync(false, option, commands);
            var (client, fault) = await SmtpClient.ConnectAsync(Host(sink), Options, CancellationToken.None);
            if (fault is not null)
            {
                (fault.Stage, fault.Permanent).ShouldBe((stage, outcome == SendOutcome.Failed), $"{option} {commands}: {fault}");
                continue;
            }

            await using var owned = client.ShouldNotBeNull();
            var result = await SendAsync(owned, Content);
            result.Recipients.ShouldAllBe(recipient => recipient.Outcome == outcome && recipient.Stage == stage, $"{option} {commands}: {result.Recipients[0]}");
        }
    }

    [SmtpSinkTheory]
    [InlineData("-f", "HELO")]
    [InlineData("-f", "EHLO")]
    [InlineData("-f", "QUIT")]
    [InlineData("-q", "QUIT")]
    public async Task What_does_not_matter_hinders_nothing(string option, string command)
    {
        await using var sink = await SmtpSink.StartAsync(false, option, command);
        await using var client = await ConnectAsync(sink);
        (await SendAsync(client, Content)).Any(SendOutcome.Delivered).ShouldBeTrue();
        await client.QuitAsync();
    }

    [SmtpSinkTheory]
    [InlineData(1_000)]
    [InlineData(5_000_000)]
    public async Task A_refusal_in_the_middle_of_DATA_delivers_nothing(int size)
    {
        await using var sink = await SmtpSink.StartAsync(false, "-A", "0");
        await using var client = await ConnectAsync(sink);
        var result = await SendAsync(client, Content + string.Concat(Enumerable.Repeat("0123456789\r\n", size / 12)));
        result.Recipients.ShouldAllBe(recipient => recipient.Outcome == SendOutcome.Failed || recipient.Outcome == SendOutcome.Deferred || recipient.Outcome == SendOutcome.Unknown);
        result.Any(SendOutcome.Delivered).ShouldBeFalse();
        // The sink closes behind its reply. Where all was sent before the reply came, only the next transaction notices.
        if (client.CanReuse)
        {
            (await SendAsync(client, Content)).Recipients.ShouldAllBe(recipient => recipient.Outcome == SendOutcome.NotTried);
        }

        client.CanReuse.ShouldBeFalse();
    }

    private static ClientOptions Options { get; } = new() { HelloName = "client.example.org" };

    private static RemoteHost Host(SmtpSink sink) => new("localhost", new(IPAddress.Loopback, sink.Port));

    private static async Task<SmtpClient> ConnectAsync(SmtpSink sink)
    {
        var (client, fault) = await SmtpClient.ConnectAsync(Host(sink), Options, CancellationToken.None);
        fault.ShouldBeNull();
        return client.ShouldNotBeNull();
    }

    private static Task<TransactionResult> SendAsync(SmtpClient client, string content)
    {
        var octets = Encoding.ASCII.GetBytes(content);
        return client.SendAsync(
            new()
            {
                Sender = "sender@example.org",
                Recipients = [new("a@example.com"), new("b@example.com")],
                Content = _ => PiecesAsync(octets),
                Size = octets.Length,
            }, CancellationToken.None);
    }

    private static async IAsyncEnumerable<ReadOnlyMemory<byte>> PiecesAsync(byte[] octets)
    {
        for (var at = 0; at < octets.Length; at += 100_000)
        {
            await Task.Yield();
            yield return octets.AsMemory(at, Math.Min(100_000, octets.Length - at));
        }
    }

    private sealed class SmtpSinkTheoryAttribute : TheoryAttribute
    {
        public SmtpSinkTheoryAttribute() => Skip = SmtpSink.Missing;
    }
}
