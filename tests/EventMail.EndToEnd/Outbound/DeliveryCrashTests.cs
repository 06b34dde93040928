using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using EventMail.Testing;
using Xunit.Abstractions;

namespace EventMail.EndToEnd.Outbound;

/// <summary>
/// kill -9 of the Host that delivers, and may have taken the message in just before, at each moment of a transaction: no message is lost, none is called delivered that was not, and
/// one comes twice only where SMTP cannot tell, and says so.
/// </summary>
/// <remarks>EVENTMAIL_DELIVERY_CRASH_ROUNDS sets how many kills there are (<see cref="DefaultRounds"/>); 50 take about five minutes.</remarks>
public sealed class DeliveryCrashTests(ITestOutputHelper output)
{
    private const int DefaultRounds = 7;

    /// <summary>Stages of <see cref="SinkScript"/>; "answered" is the moment behind the reply to the final dot.</summary>
    private static readonly string[] Moments = ["final", "answered", "greeting", "body", "mail", "rcpt", "data"];

    private static int Rounds =>
        int.TryParse(Environment.GetEnvironmentVariable("EVENTMAIL_DELIVERY_CRASH_ROUNDS"), CultureInfo.InvariantCulture, out var rounds) ? rounds : DefaultRounds;

    [OutboundTheory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_was_submitted_survives_kill_9_before_during_and_after_the_final_dot(bool submittedToTheVictim)
    {
        await using var database = await TestDatabase.CreateAsync();
        using var contents = new TempFolder();
        await using var sink = MailSink.Start();
        await using var dns = await OutboundSettings.DnsAsync("one.test");
        await using var other = await StartAsync("Delivery:Enabled=false");
        var account = await MailServer.NewAccountAsync(other);
        var elapsed = Stopwatch.StartNew();
        var promised = new HashSet<int>();
        var unknown = 0;
        TestServer? delivering = null;
        try
        {
            for (var round = 0; round < Rounds; round++)
            {
                var moment = Moments[round % Moments.Length];
                var killed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                delivering = await StartAsync("Delivery:PerDestination=1");
                var victim = delivering;
                sink.Script = new()
                {
                    Answer = (stage, _, _) =>
                    {
                        if (stage == moment)
                            Kill();
                        else if (moment == "answered" && stage == "final")
                            _ = Task.Delay(Random.Shared.Next(6)).ContinueWith(_ => Kill(), TaskScheduler.Default);
                        return null;

                        void Kill()
                        {
                            victim.Kill();
                            killed.TrySetResult();
                        }
                    },
                };
                if (await SubmitAsync(submittedToTheVictim ? victim : other, account, round, killed.Task))
                    promised.Add(round);
                await killed.Task.InTime();
                await victim.WaitForExitAsync();
                await victim.DisposeAsync();
            }

            sink.Script = new();
            delivering = await StartAsync("Delivery:PerDestination=4");
            await OutboundQueue.DrainedAsync(delivering);

            var counts = sink.Messages.GroupBy(message => message.MessageId).ToDictionary(group => group.Key, group => group.Count());
            foreach (var round in Enumerable.Range(0, Rounds))
            {
                var id = $"<{IdOf(round)}>";
                // What is in the log was taken in, also where its sender did not live to hear that. An attempt at a message of before may have
                // killed the host ahead of it.
                if (await DeliveryAsync(delivering, IdOf(round)) is not { } delivery)
                {
                    promised.ShouldNotContain(round, "a message was lost");
                    counts.ShouldNotContainKey(id, "a message was sent that is not in the log");
                    continue;
                }

                counts.ShouldContainKey(id, "a message was lost");
                delivery.Delivered.ShouldBe(1, id);
                sink.Messages.ShouldContain(message => message.MessageId == id && message.IsAnswered, $"{id} is called delivered and was not");
                counts[id].ShouldBeLessThanOrEqualTo(1 + delivery.Unknown, $"{id} came twice and nobody says so");
                unknown += delivery.Unknown;
                if (counts[id] > 1)
                {
                    var shown = (await delivering.RunAsync("queue", "show", delivery.Id.ToString())).Output;
                    shown.ShouldContain("unknown", Case.Insensitive, shown);
                }
            }

            output.WriteLine(
                $"{Rounds} kills, {promised.Count} messages promised, {unknown} outcomes unknown, {counts.Values.Sum() - counts.Count} messages twice, {elapsed.Elapsed.TotalSeconds:0} s");
            counts.Keys.ShouldAllBe(id => id.EndsWith("@example.test>"));
        }
        finally
        {
            if (delivering is not null)
            {
                await delivering.DisposeAsync();
            }
        }

        Task<TestServer> StartAsync(string setting) => TestServer.StartAsync(new()
        {
            ConnectionString = database.ConnectionString,
            Settings = OutboundSettings.Of(
                dns, sink.EndPoint.Port, $"Content:Folder={contents.Path}", $"Keys:Folder={database.Keys.Folder}", "Delivery:UnknownWait=1s", "Delivery:CoolDown=1ms", "Delivery:Schedule=1s 1s 1s 1s 1s 1s 1s 1s", setting),
        });
    }

    private static string IdOf(int round) => string.Create(CultureInfo.InvariantCulture, $"m{round}@example.test");

    // True at the 250. Whoever is killed while it answers has promised nothing.
    private static async Task<bool> SubmitAsync(TestServer server, string account, int round, Task killed)
    {
        try
        {
            await using var client = await OutboundClient.LoginAsync(server["submission"], account);
            await client.SendAsync("r@one.test", IdOf(round));
            return true;
        }
        catch (Exception)
        {
            if (await Task.WhenAny(killed, Task.Delay(Waiting.Limit)) != killed)
                throw;
            return false;
        }
    }

    // From the log itself: what it says of the message's deliveries; null where it knows of no such message.
    private static async Task<(Guid Id, int Delivered, int Unknown)?> DeliveryAsync(TestServer server, string messageId)
    {
        var life = (await server.RunAsync("history", "--message", messageId, "--json")).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => JsonNode.Parse(line)!).Select(entry => (Type: (string)entry["type"]!, Stream: (Guid)entry["stream"]!)).ToList();
        if (life.Count == 0)
        {
            return null;
        }

        var id = life.Where(entry => entry.Type == "message_submitted").ShouldHaveSingleItem($"{messageId} is not in the log once").Stream;
        return (id, life.Count(entry => entry == ("recipient_delivered", id)), life.Count(entry => entry == ("delivery_outcome_unknown", id)));
    }
}
