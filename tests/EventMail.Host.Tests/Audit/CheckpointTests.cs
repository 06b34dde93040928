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
        CheckpointIssuer.FolderOf(store.Settings).Largest()!.ToString().ShouldBe(printed.ToString());
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
        folder.Largest().ShouldBeNull();
        var key = NoteSigningKey.Generate("log.example");
        var day = new DateTimeOffset(2026, 11, 20, 23, 59, 0, TimeSpan.Zero);
        for (var size = 1; size <= 3; size++)
            folder.Append(SignedCheckpoint.Sign(Checkpoint.Of("log.example", size, TreeHash.Empty, day), key), day.AddHours(size / 3));
        folder.Files().Select(Path.GetFileName).ShouldBe(["2026-11-20.txt", "2026-11-21.txt"]);
        folder.Largest()!.Checkpoint.Size.ShouldBe(3);
        File.WriteAllText(folder.Files()[1], "log.example\n4\nhalf");
        folder.Largest()!.Checkpoint.Size.ShouldBe(2);
        // And none behind it.
        folder.Append(SignedCheckpoint.Sign(Checkpoint.Of("log.example", 5, TreeHash.Empty, day), key), day.AddHours(1));
        folder.Largest()!.Checkpoint.Size.ShouldBe(5);
        // An old one that stands at the end again, and a whole day of them.
        var old = SignedCheckpoint.ParseAll(File.ReadAllText(folder.Files()[0])).First();
        folder.Append(old, day.AddHours(1));
        folder.Append(old, day.AddYears(100));
        folder.Largest()!.Checkpoint.Size.ShouldBe(5);
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
        folder.Append(SignedCheckpoint.Sign(Checkpoint.Of("log.example", 1000, TreeHash.Empty, DateTimeOffset.UtcNow), AuditKeyFile.Open(_store.Settings, out _)), DateTimeOffset.UtcNow);
        (await _store.FailAsync("audit", "checkpoint")).ShouldContain("After a restore of an older backup");
        Directory.Delete(folder.Path, recursive: true);
        await _store.DoAsync("audit", "checkpoint");
    }

    [Fact]
    public async Task An_end_that_was_cut_off_with_the_trees_is_not_signed_where_an_old_checkpoint_was_put_behind_the_others()
    {
        var size = await _store.ScalarAsync<long>("select count(*) from public.mt_events");
        var old = await _store.DoAsync("audit", "checkpoint");
        await _store.SendAsync();
        await _store.DoAsync("audit", "checkpoint");
        var folder = CheckpointIssuer.FolderOf(_store.Settings);
        folder.Append(SignedCheckpoint.Parse(old + '\n'), DateTimeOffset.UtcNow.AddDays(1));
        await _store.ExecuteAsync($"""
            delete from public.mt_events where seq_id > (select seq_id from public.mt_events order by seq_id offset {size - 1} limit 1);
            update eventmail.log_tip set size = 0, position = 0, tiles = ''
            """);
        (await _store.FailAsync("audit", "checkpoint")).ShouldContain($"and the log has {size} events");
    }

    [Fact]
    public async Task A_checkpoint_that_another_key_signed_vouches_for_no_log_and_the_key_may_be_changed_with_the_folder()
    {
        await _store.DoAsync("audit", "checkpoint");
        var folder = CheckpointIssuer.FolderOf(_store.Settings);
        var tip = await new LogTree(_store.Store.Log).TipAsync(default);
        folder.Append(
            SignedCheckpoint.Sign(Checkpoint.Of("log.example", tip.Size, tip.Root(), DateTimeOffset.UtcNow), NoteSigningKey.Generate("log.example")), DateTimeOffset.UtcNow);
        (await _store.FailAsync("audit", "checkpoint")).ShouldContain($"No checkpoint is signed: the one of {tip.Size} events in {folder.Path} is not signed by log.example+");
        Directory.Delete(folder.Path, recursive: true);
        await _store.DoAsync("audit", "checkpoint");

        // The key was lost, or is exchanged by somebody who has its folder.
        var key = await _store.DoAsync("audit", "key");
        File.Delete(AuditKeyFile.PathOf(_store.Settings));
        (await _store.FailAsync("audit", "checkpoint")).ShouldContain("If you gave the log a new key, move the folder away");
        var kept = folder.Path + ".old";
        Directory.Move(folder.Path, kept);
        await _store.DoAsync("audit", "checkpoint");
        (await _store.DoAsync("audit", "verify", "--checkpoint", kept, "--key", key)).ShouldContain("1 checkpoint holds");
        (await _store.FailAsync("audit", "verify", "--checkpoint", kept, "--checkpoint", folder.Path)).ShouldContain("Give the key that signed it with --key");
        (await _store.DoAsync("audit", "verify", "--checkpoint", kept, "--checkpoint", folder.Path, "--key", key, "--key", await _store.DoAsync("audit", "key")))
            .ShouldContain("2 checkpoints hold");
    }
}
