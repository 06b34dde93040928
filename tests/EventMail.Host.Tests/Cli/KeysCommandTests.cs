using EventMail.EventStore;
using EventMail.Host.Cli;
using EventMail.Host.Composition;
using EventMail.Host.Configuration;
using EventMail.Projections;
using EventMail.Projections.Mailboxes;
using EventMail.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace EventMail.Host.Tests.Cli;

public sealed class KeysCommandTests : IAsyncLifetime
{
    private readonly TestFolder _folder = new();
    private TestDatabase _postgres = null!;

    public async Task InitializeAsync()
    {
        _postgres = await TestDatabase.CreateAsync();
        Directory.CreateDirectory(_folder.Path);
    }

    public async Task DisposeAsync()
    {
        await _postgres.DisposeAsync();
        _folder.Dispose();
    }

    private Task<CommandResult> RunAsync(params string[] arguments) => TestCommand.RunAsync(
        [.. arguments, "--data", _folder.Path, "--set", $"Database:ConnectionString={_postgres.ConnectionString}"]);

    private async Task StoreAsync(int count, bool encrypted)
    {
        var settings = new HostSettings
        {
            Data = _folder.Path,
            Database = new() { ConnectionString = _postgres.ConnectionString },
            Keys = new() { EncryptContents = encrypted },
            Content = new() { FileThreshold = 1000 },
        };
        await using var database = await HostDatabase.AttachAsync(settings, NullLoggerFactory.Instance, default);
        await using var store = await MailStore.OpenAsync(settings, database, NullLoggerFactory.Instance, default);
        for (var i = 0; i < count; i++)
        {
            var content = await store.Log.Contents.StageAsync(new byte[i + (i % 2 == 0 ? 10 : 5000) + (encrypted ? 100 : 0)]);
            await store.Log.Executor.ExecuteAsync(new Keep(content), default);
        }
    }

    private sealed class Keep(StagedContent content) : Command
    {
        public override IReadOnlyList<StreamRef> Streams => [];
        public override IReadOnlyList<StagedContent> Contents => [content];
        public override EventMetadata Metadata => EventMetadata.System;
        public override void Decide(Decision decision) => decision.Store(content);
    }

    [Fact]
    public async Task Keys_status_says_what_is_encrypted_and_what_is_missing_and_keys_encrypt_does_the_rest()
    {
        var keys = Path.Combine(_folder.Path, "keys");
        var none = await RunAsync("keys", "status");
        none.ExitCode.ShouldBe(ExitCodes.Done, none.Error);
        none.Output.ShouldEndWith($"0 contents are encrypted, and events of 0 accounts and days sealed, by 0 wrapping keys in {keys}\n");
        Directory.Exists(keys).ShouldBeFalse();

        await StoreAsync(4, encrypted: true);
        await StoreAsync(6, encrypted: false);
        var status = await RunAsync("keys", "status", "--all");
        status.ExitCode.ShouldBe(ExitCodes.Done, status.Error);
        status.Output.ShouldContain(Directory.GetFiles(keys).ShouldHaveSingleItem());
        status.Output.ShouldEndWith($"4 contents are encrypted, and events of 0 accounts and days sealed, by 1 wrapping keys in {keys}\n3 rows and 3 files are plain; `eventmail keys encrypt` encrypts them\n");

        (await RunAsync("keys", "encrypt", "--set", "Keys:EncryptContents=false")).ExitCode.ShouldBe(ExitCodes.Usage);
        var encrypt = await RunAsync("keys", "encrypt");
        encrypt.ExitCode.ShouldBe(ExitCodes.Done, encrypt.Error);
        encrypt.Output.ShouldContain("6 contents encrypted\n");
        (await RunAsync("keys", "status")).Output.ShouldEndWith($"10 contents are encrypted, and events of 0 accounts and days sealed, by 2 wrapping keys in {keys}\n");

        var lost = Directory.GetFiles(keys).Order().First();
        File.Delete(lost);
        var missing = await RunAsync("keys", "status");
        missing.ExitCode.ShouldBe(ExitCodes.Failed);
        missing.Output.ShouldContain($"The wrapping key {lost} is missing.");
        missing.Error.ShouldContain($"1 wrapping keys of 2 cannot be used, and 4 contents and the events of 0 accounts and days cannot be read without them. Restore the folder {keys} from its backup.");
        (await RunAsync("keys", "status", "--json")).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length.ShouldBe(2);
    }
}
