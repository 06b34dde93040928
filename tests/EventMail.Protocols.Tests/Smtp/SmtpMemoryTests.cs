using System.Text;
using EventMail.Domain;
using EventMail.Projections;
using EventMail.Projections.Accounts;
using EventMail.Projections.Mailboxes;
using EventMail.Protocols.Smtp;
using EventMail.Protocols.Wire;
using EventMail.Testing.Transcripts;
using Microsoft.Extensions.Logging.Abstractions;

namespace EventMail.Protocols.Tests.Smtp;

/// <summary>Alone in the process: what is measured is all that it holds.</summary>
[CollectionDefinition(nameof(SmtpMemoryTests), DisableParallelization = true)]
[Collection(nameof(SmtpMemoryTests))]
public sealed class SmtpMemoryTests
{
    [Fact]
    public async Task Two_hundred_large_messages_at_once_stream_through()
    {
        const int Connections = 200;
        var services = new SmtpServices("mx.example.org", "n", new Sink(), SmtpLimits.Default, TimeProvider.System, NullLogger.Instance);
        var line = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat(new string('x', 76) + "\r\n", 800)));
        var clients = new List<Stream>();
        var sessions = new List<Task>();
        for (var i = 0; i < Connections; i++)
        {
            var (server, client) = MemoryConnection.Create(16384);
            var connection = new MailConnection(server, Wire.WireHarness.Details);
            sessions.Add(Task.Run(() => SmtpServer.ServeAsync(connection, services, CancellationToken.None)));
            clients.Add(client);
            await client.WriteAsync("EHLO x\r\nMAIL FROM:<> SIZE=26214400\r\nRCPT TO:<alice@example.org>\r\nDATA\r\n"u8.ToArray());
        }

        await SendAsync(1);
        var before = GC.GetTotalMemory(forceFullCollection: true);
        await SendAsync(30);
        var after = GC.GetTotalMemory(forceFullCollection: true);
        // 1.8 MB each went through; what stays is no message.
        (after - before).ShouldBeLessThan(Connections * 64 * 1024);

        await Task.WhenAll(clients.Select(async client =>
        {
            await client.WriteAsync("\r\n.\r\nQUIT\r\n"u8.ToArray());
            using var reader = new StreamReader(client, Encoding.ASCII);
            string? last = null;
            while (await reader.ReadLineAsync() is { } reply && !reply.StartsWith("221", StringComparison.Ordinal))
                last = reply;
            last.ShouldNotBeNull().ShouldStartWith("250 2.0.0 Message accepted");
        }));
        await Task.WhenAll(sessions).WaitAsync(SmtpHarness.Patience);

        async Task SendAsync(int times)
        {
            await Task.WhenAll(clients.Select(async client =>
            {
                for (var i = 0; i < times; i++)
                    await client.WriteAsync(line);
            }));
        }
    }

    private sealed class Sink : ISmtpDestination
    {
        public ValueTask<RecipientAnswer> ResolveAsync(string localPart, string domain, long size, CancellationToken cancel) =>
            new(new RecipientAnswer(RecipientStatus.Local, [new("id", "alice@example.org", "alice@example.org")]));

        public ISmtpMessage Begin(SmtpEnvelope envelope) => new Nothing();

        private sealed class Nothing : ISmtpMessage
        {
            public string? MessageId => null;

            public ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancel) => default;

            public ValueTask<SmtpReply?> CompleteAsync(CancellationToken cancel) => default;

            public Task<Rejection?> DeliverAsync(
                IReadOnlyList<LocalRecipient> recipients, QuotaRule rule, string reversePath, Actor actor, string cause, CancellationToken cancel) =>
                Task.FromResult<Rejection?>(null);

            public ValueTask DisposeAsync() => default;
        }
    }
}
