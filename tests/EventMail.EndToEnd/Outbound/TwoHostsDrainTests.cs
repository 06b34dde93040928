using EventMail.Testing;

namespace EventMail.EndToEnd.Outbound;

/// <summary>Two Hosts, two processes, one database, one queue.</summary>
public sealed class TwoHostsDrainTests
{
    private const int Messages = 400;

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
            await using var client = await OutboundClient.LoginAsync(submitting["submission"], account);
            for (var i = 0; i < Messages; i++)
            {
                await client.SendAsync($"r{i}@{new[] { "one", "two", "three" }[i % 3]}.test", $"m{i}@example.test");
            }

            sink.Connections.ShouldBe(0);
        }

        await using var first = await StartAsync("Log:Level=Information");
        await using var second = await StartAsync("Log:Level=Information");
        await sink.WaitAsync(Messages, TimeSpan.FromSeconds(60));
        await Task.Delay(500);
        sink.Messages.Count.ShouldBe(Messages, "none twice");
        sink.Messages.Select(message => message.MessageId).Distinct().Count().ShouldBe(Messages, "none left out");
        (await first.RunAsync("queue", "list")).Output.ShouldContain("0 rows");

        Task<TestServer> StartAsync(string setting) => TestServer.StartAsync(new()
        {
            ConnectionString = database.ConnectionString,
            // Few at a time, so that both have their part.
            Settings = OutboundSettings.Of(dns, sink.EndPoint.Port, $"Content:Folder={contents.Path}", "Delivery:PerDestination=2", setting),
        });
    }
}
