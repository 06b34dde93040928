using System.Net;
using System.Net.Sockets;
using System.Text;
using EventMail.EventStore.Proof;
using EventMail.Host.Audit;
using EventMail.Host.Configuration;
using EventMail.Host.Tests.Cli;
using EventMail.Testing;

namespace EventMail.Host.Tests.Audit;

/// <summary>The server itself.</summary>
public sealed class WitnessTests
{
    [Fact]
    public async Task A_server_signs_on_its_schedule_and_when_it_stops_and_needs_nobody_to_listen()
    {
        using var syslog = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        syslog.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        using var folder = new TestFolder();
        Directory.CreateDirectory(folder.Path);
        await using var database = await TestDatabase.CreateAsync();
        await using var server = await TestServer.StartAsync(new()
        {
            DataFolder = folder.Path,
            ConnectionString = database.ConnectionString,
            Settings =
            [
                .. CliServer.Settings, "Hostname=log.example", "Audit:CheckpointEvery=100ms", "Audit:Webhook=http://127.0.0.1:9/",
                $"Audit:Syslog=udp:127.0.0.1:{((IPEndPoint)syslog.LocalEndPoint!).Port}",
            ],
        });
        var kept = CheckpointIssuer.FolderOf(new HostSettings { Data = folder.Path });
        var buffer = new byte[8192];
        var message = Encoding.UTF8.GetString(buffer, 0, await syslog.ReceiveAsync(buffer).InTime());
        kept.Largest().ShouldNotBeNull();
        var told = SignedCheckpoint.Parse(Encoding.UTF8.GetString(Convert.FromBase64String(message.Split(' ')[^1])));
        var key = NoteKey.Parse((await server.RunAsync("audit", "key")).Output);
        told.Note.IsSignedBy(key).ShouldBeTrue();
        await Waiting.UntilAsync(() => server.Log.Contains("did not reach the webhook http://127.0.0.1:9/ (Audit:Webhook) in attempt 1"), () => server.Log);
        server.Log.ShouldContain($"the key that signs checkpoints of the log. Its public key, for those who are to hold them: {key}");

        (await server.RunAsync("account", "add", "last@log.example", "--password", CliServer.Password)).ExitCode.ShouldBe(0);
        (await server.StopAsync()).ShouldBe(0);
        await using var count = database.DataSource.CreateCommand("select count(*) from public.mt_events");
        kept.Largest()!.Checkpoint.Size.ShouldBe((long)(await count.ExecuteScalarAsync())!);
    }
}
