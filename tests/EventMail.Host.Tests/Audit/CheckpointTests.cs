using EventMail.EventStore.Proof;
using EventMail.Host.Audit;
using EventMail.Host.Configuration;
using EventMail.Testing;

namespace EventMail.Host.Tests.Audit;

/// <summary>What is signed, when, with what.</summary>
public sealed class CheckpointTests(AuditStore store) : IClassFixture<AuditStore>
{
    private static async Task<NoteKey> KeyAsync(AuditStore store) => NoteKey.Parse(await store.DoAsync("audit", "key"));

    [Fact]
    public async Task The_key_is_made_once_and_only_its_owner_can_read_it()
    {
        var key = await store.DoAsync("audit", "key");
        key.ShouldStartWith("log.example+");
        (await store.DoAsync("audit", "key")).ShouldBe(key);
        File.GetUnixFileMode(Path.Combine(store.Folder, "audit.key")).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        File.ReadAllText(Path.Combine(store.Folder, "audit.key")).ShouldStartWith("PRIVATE+KEY+log.example+");
    }

    [Fact]
    public void A_key_that_is_none_or_a_name_that_cannot_be_one_is_told()
    {
        using var folder = new TestFolder();
        Directory.CreateDirectory(folder.Path);
        var settings = new HostSettings { Data = folder.Path, Audit = new() { KeyFile = Path.Combine(folder.Path, "key"), Origin = "two words" } };
        Should.Throw<SettingsException>(() => AuditKeyFile.Open(settings, out _)).Message.ShouldStartWith("Audit:Origin: “two words”");
        File.WriteAllText(Path.Combine(folder.Path, "key"), "no key");
        Should.Throw<SettingsException>(() => AuditKeyFile.Open(settings, out _)).Message.ShouldContain("Put the file back from its copy");
    }

    [Fact]
    public async Task A_checkpoint_is_printed_and_kept_and_every_event_is_in_it()
    {
        await store.SendAsync();
        var printed = SignedCheckpoint.Parse(await store.DoAsync("audit", "checkpoint") + '\n');
        printed.Note.IsSignedBy(await KeyAsync(store)).ShouldBeTrue();
        printed.Checkpoint.Origin.ShouldBe("log.example");
        printed.Checkpoint.Size.ShouldBe(await store.ScalarAsync<long>("select count(*) from public.mt_events"));
        CheckpointIssuer.FolderOf(store.Settings).Last()!.ToString().ShouldBe(printed.ToString());
    }

    [Fact]
    public async Task A_log_that_has_not_moved_is_not_signed_again_unless_somebody_asks()
    {
        var issuer = store.Issuer();
        await issuer.IssueAsync(always: true, default);
        (await issuer.IssueAsync(always: false, default)).ShouldBeNull();
        await store.SendAsync();
        (await issuer.IssueAsync(always: false, default)).ShouldNotBeNull();
    }

    [Fact]
    public async Task Each_day_has_a_file_and_a_torn_checkpoint_at_the_end_hides_none_before_it()
    {
        var folder = CheckpointIssuer.FolderOf(store.Settings with { Audit = new() { Folder = Path.Combine(store.Folder, "days") } });
        (await folder.LockAsync(default)).Dispose();
        folder.Last().ShouldBeNull();
        var key = NoteSigningKey.Generate("log.example");
        var day = new DateTimeOffset(2026, 11, 20, 23, 59, 0, TimeSpan.Zero);
        for (var size = 1; size <= 3; size++)
            folder.Append(SignedCheckpoint.Sign(Checkpoint.Of("log.example", size, TreeHash.Empty, day), key), day.AddHours(size / 3));
        folder.Files().Select(Path.GetFileName).ShouldBe(["2026-11-20.txt", "2026-11-21.txt"]);
        folder.Last()!.Checkpoint.Size.ShouldBe(3);
        File.WriteAllText(folder.Files()[1], "log.example\n4\nhalf");
        folder.Last()!.Checkpoint.Size.ShouldBe(2);
        SignedCheckpoint.ParseAll(File.ReadAllText(folder.Files()[0])).Count().ShouldBe(2);
    }
}

/// <summary>A log that is another than it was: nothing is signed over it. Each on a store of its own.</summary>
public sealed class CheckpointConflictTests : IAsyncLifetime
{
    private readonly AuditStore _store = new();

    public Task InitializeAsync() => _store.InitializeAsync();

    public Task DisposeAsync() => _store.DisposeAsync();

    [Fact]
    public async Task A_tree_that_was_built_anew_over_a_changed_log_is_not_signed()
    {
        await _store.DoAsync("audit", "checkpoint");
        // As thorough as somebody with all rights on the database can be.
        await _store.ExecuteAsync("""
            update public.mt_events set headers = jsonb_set(headers, '{hash}', to_jsonb(repeat('A', 43))), data = data || '{"Forged":1}' where seq_id = 2;
            truncate eventmail.log_leaves, eventmail.log_tile;
            update eventmail.log_tip set size = 0, position = 0, tiles = ''
            """);
        (await _store.FailAsync("audit", "checkpoint")).ShouldContain("and its first events are others. `eventmail audit verify --checkpoint");
        await Should.ThrowAsync<CheckpointConflictException>(() => _store.Issuer().IssueAsync(always: false, default));
    }

    [Fact]
    public async Task A_log_that_became_shorter_is_not_signed_until_the_operator_says_so()
    {
        var folder = CheckpointIssuer.FolderOf(_store.Settings);
        (await folder.LockAsync(default)).Dispose();
        folder.Append(SignedCheckpoint.Sign(Checkpoint.Of("log.example", 1000, TreeHash.Empty, DateTimeOffset.UtcNow), NoteSigningKey.Generate("log.example")), DateTimeOffset.UtcNow);
        (await _store.FailAsync("audit", "checkpoint")).ShouldContain("After a restore of an older backup");
        Directory.Delete(folder.Path, recursive: true);
        await _store.DoAsync("audit", "checkpoint");
    }
}
