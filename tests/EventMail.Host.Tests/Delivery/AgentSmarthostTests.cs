using EventMail.Domain.Deliveries;
using EventMail.Host.Configuration;
using EventMail.Testing;

namespace EventMail.Host.Tests.Delivery;

/// <summary>All mail by a smarthost that wants a login: another server of this program, on its submission port.</summary>
public sealed class AgentSmarthostTests(AgentSmarthostTests.Relay relay) : IClassFixture<AgentSmarthostTests.Relay>
{
    [Fact]
    public async Task A_message_goes_by_STARTTLS_and_AUTH_to_a_smarthost_that_takes_it_for_its_user()
    {
        var delivery = await relay.World.SubmitAsync(relay.Bob);
        var attempted = (await relay.World.WaitForAsync<DeliveryAttempted>(delivery)).ShouldHaveSingleItem();
        (attempted.Code, attempted.Stage).ShouldBe((250, "final"), attempted.Text);
        attempted.Tls.ShouldNotBeNull().Policy.ShouldBe("smarthost");
        await relay.World.WaitForAsync<RecipientDelivered>(delivery);
        (await relay.Server.RunAsync("history", relay.Bob)).Output.ShouldContain(relay.World.Sender.Address);
    }

    [Theory]
    [InlineData("a@stranger.test", "auth", 535, "5.7.8")]
    [InlineData("a@keyless.test", "auth", 0, "4.3.5")]
    [InlineData("a@verified.test", "starttls", 0, "4.7.5")]
    public async Task A_smarthost_that_cannot_be_logged_in_to_or_proves_nothing_makes_mail_wait_and_bounces_none(string recipient, string stage, int code, string enhanced)
    {
        var delivery = await relay.World.SubmitAsync(recipient);
        await relay.World.WaitForAsync<DeliveryDeferred>(delivery);
        var attempted = (await relay.World.EventsAsync(delivery)).OfType<DeliveryAttempted>().Last();
        (attempted.Stage, attempted.Code).ShouldBe((stage, code), attempted.Text);
        attempted.Enhanced[1..].ShouldBe(enhanced[1..], attempted.Text);
        (await relay.World.EventsAsync(delivery)).ShouldNotContain(e => e is RecipientFailed);
    }

    /// <summary>One relay for all, and named domains that are wrong about it.</summary>
    public sealed class Relay : IAsyncLifetime
    {
        private const string Password = "correct horse battery";

        private readonly string _folder = Directory.CreateTempSubdirectory("eventmail-tests-").FullName;
        private TestDatabase _database = null!;

        internal TestServer Server { get; private set; } = null!;

        internal DeliveryWorld World { get; private set; } = null!;

        internal string Bob => "bob@relay.test";

        public async Task InitializeAsync()
        {
            _database = await TestDatabase.CreateAsync();
            Server = await TestServer.StartAsync(new()
            {
                ConnectionString = _database.ConnectionString,
                Settings = ["Auth:Argon2:Memory=8192KB", "Auth:Argon2:Iterations=1", "Delivery:Enabled=false"],
            });
            World = await DeliveryWorld.StartAsync();
            await DoAsync("account", "add", "relay@relay.test", "--password", Password);
            await DoAsync("account", "add", Bob, "--password", Password);
            await DoAsync("account", "send-as", "add", "relay@relay.test", $"@{World.Sender.Address.Split('@')[1]}");
            var right = Smarthost(await KeyAsync("right", Password));
            World.Deliver(World.Settings with
            {
                CoolDown = TimeSpan.Zero, // they share a lane
                Smarthost = right,
                Smarthosts = new Dictionary<string, SmarthostSettings>
                {
                    ["stranger.test"] = Smarthost(await KeyAsync("wrong", "incorrect")) with { User = "stranger@relay.test" },
                    ["keyless.test"] = Smarthost(Path.Combine(_folder, "none")),
                    ["verified.test"] = right with { Verify = true },
                },
            });
        }

        public async Task DisposeAsync()
        {
            await World.DisposeAsync();
            await Server.DisposeAsync();
            await _database.DisposeAsync();
            Directory.Delete(_folder, recursive: true);
        }

        private SmarthostSettings Smarthost(string key) => new()
        {
            Host = "127.0.0.1",
            Port = Server["submission"].Port,
            Verify = false,
            User = "relay@relay.test",
            PasswordFile = key,
        };

        private async Task<string> KeyAsync(string name, string password)
        {
            var path = Path.Combine(_folder, name);
            await File.WriteAllTextAsync(path, password + "\n");
            return path;
        }

        private async Task DoAsync(params string[] arguments)
        {
            var result = await Server.RunAsync(arguments);
            result.ExitCode.ShouldBe(0, result.Error);
        }
    }
}
