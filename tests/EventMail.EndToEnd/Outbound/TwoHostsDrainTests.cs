using EventMail.Testing;

namespace EventMail.EndToEnd.Outbound;

/// <summary>Two Hosts, two processes, one database, one queue.</summary>
public sealed class TwoHostsDrainTests
{
    private const int Clients = 4;
    private const int Each = 100;
    private const int Messages = Clients * Each;

    [OutboundFact]
    public async Task Two_Hosts_drain_one_queue_and_nothing_is_delivered_twice()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var contents = new TempFolder();
        await using var sink = MailSink.Start();
        await using var dns = await OutboundSettings.DnsAsync("one.test", "two.test", "three.test");
        await using (var submitting = await StartAsync("Delivery:Enabled=false"))
        {
            var account = await MailServer.NewAccountAsync(submitting);
            await Task.WhenAll(Enumerable.Range(0, Clients).Select(async n =>
            {
                await using var client = await OutboundClient.LoginAsync(submitting["submission"], account);
                for (var i = n * Each; i < (n + 1) * Each; i++)
                {
                    await client.SendAsync($"r{i}@{new[] { "one", "two", "three" }[i % 3]}.test", $"m{i}@example.test");
                }
            }));
            sink.Connections.ShouldBe(0);
        }

        await using var first = await StartAsync("Log:Level=Information");
        await using var second = await StartAsync("Log:Level=Information");
        await sink.WaitAsync(Messages);
        await OutboundQueue.DrainedAsync(first);
        sink.Messages.Count.ShouldBe(Messages, "none twice");
        sink.Messages.Select(message => message.MessageId).Distinct().Count().ShouldBe(Messages, "none left out");

        Task<TestServer> StartAsync(string setting) => TestServer.StartAsync(new()
        {
            ConnectionString = database.ConnectionString,
            // Few at a time, so that both have their part.
            Settings = OutboundSettings.Of(dns, sink.EndPoint.Port, $"Content:Folder={contents.Path}", $"Keys:Folder={database.Keys.Folder}", "Delivery:PerDestination=2", setting),
        });
    }
}
