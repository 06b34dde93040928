using System.Globalization;
using EventMail.Host.Cli;
using EventMail.Host.Configuration;
using EventMail.Host.Moving.Backup;
using EventMail.Testing;

namespace EventMail.Host.Tests.Moving;

public sealed class BackupTests(MovingSite site) : IClassFixture<MovingSite>
{
    private const string Mailboxes = "select concat_ws(' ', name, uid_validity, uid_next, messages, unseen, bytes, version) from projections.mailbox order by tenant_id, id";

    private static int s_mail;

    [Fact]
    public async Task A_restored_backup_is_the_same_log_and_reads_the_same()
    {
        var (address, target) = (await site.NewAccountAsync(), Target("whole"));
        await ImportAsync(address, 3, large: true);
        (await site.DoAsync("backup", target)).ShouldContain("Run 1:");
        (await site.DoAsync("backup", target)).ShouldContain("Nothing is new");
        await ImportAsync(address, 2);
        (await site.DoAsync("backup", target)).ShouldContain("Run 2:");
        (await site.DoAsync("backup", "verify", target)).ShouldContain("is as it was written: 2 runs");

        await using var restored = await RestoredSite.CreateAsync();
        (await restored.DoAsync("restore-backup", target)).ShouldMatch(" [1-9][0-9]* files");
        (await RestoredSite.TruthAsync(restored.Database)).ShouldBe(await RestoredSite.TruthAsync(site.Database));
        const string Contents = "select to_jsonb(c)::text from eventmail.content c order by number";
        (await RestoredSite.LinesAsync(restored.Database, Contents)).ShouldBe(await RestoredSite.LinesAsync(site.Database, Contents));

        // The first program that opens it builds the read models; new mail goes on where the log ended.
        var file = site.Write("later.mbox", Message(100));
        var keyless = await restored.RunAsync("import", "mbox", file, address);
        keyless.ExitCode.ShouldBe(1);
        keyless.Error.ShouldMatch("^eventmail: The personal fields of .*key is missing");
        restored.TakeKeys(site.DataFolder);
        (await restored.DoAsync("import", "mbox", file, address)).ShouldContain("1 imported");
        await site.DoAsync("import", "mbox", file, address);
        (await RestoredSite.LinesAsync(restored.Database, Mailboxes)).ShouldBe(await RestoredSite.LinesAsync(site.Database, Mailboxes));
        (await restored.RunAsync("restore-backup", target)).Error.ShouldContain("not empty");
    }

    [Fact]
    public async Task A_restore_goes_to_any_position_and_time_in_between()
    {
        var (address, target) = (await site.NewAccountAsync(), Target("until"));
        await ImportAsync(address, 2);
        await site.DoAsync("backup", target);
        await ImportAsync(address, 2);
        var (position, time) = await LastAsync();
        await ImportAsync(address, 2);
        await site.DoAsync("backup", target);

        foreach (var until in new[] { position.ToString(CultureInfo.InvariantCulture), time })
        {
            await using var restored = await RestoredSite.CreateAsync();
            await restored.DoAsync("restore-backup", target, "--until", until);
            (await RestoredSite.TruthAsync(restored.Database)).Where(line => line.Contains("seq_id"))
                .ShouldBe(await RestoredSite.TruthAsync(site.Database, position));
        }
        await using var empty = await RestoredSite.CreateAsync();
        (await empty.RunAsync("restore-backup", target, "--until", "2001-01-01")).Error.ShouldContain("there was nothing then");
        (await empty.RunAsync("restore-backup", target, "--until", "2999-01-01")).Error.ShouldContain("knows nothing of a later state");
        // The second of January, or the first of February? And which day's noon?
        foreach (var none in (string[])["soon", "1/2/2026", "01/02/2026", "12:00"])
            (await empty.RunAsync("restore-backup", target, "--until", none)).ExitCode.ShouldBe(2);
    }

    [Fact]
    public async Task The_edges_of_what_can_be_restored()
    {
        // A log that begins with one transaction: an account is opened with its domain, its password and its mailboxes.
        await using var source = await RestoredSite.CreateAsync();
        var target = Target("edges");
        await source.DoAsync("account", "add", "edge@example.test", "--password", "correct horse battery", "--set", "Auth:Argon2:Memory=8192KB", "--set", "Auth:Argon2:Iterations=1");
        var all = await RestoredSite.LinesAsync(source.Database, "select seq_id from public.mt_events order by seq_id");
        var last = all[^1];
        all.Length.ShouldBeGreaterThan(3);
        (await RestoredSite.LinesAsync(source.Database, "select count(distinct timestamp) from public.mt_events")).ShouldBe(["1"]);
        var at = (await RestoredSite.LinesAsync(source.Database, Instant("timestamp"))).First();
        var before = (await RestoredSite.LinesAsync(source.Database, Instant("timestamp - interval '1 microsecond'"))).First();
        var after = (await RestoredSite.LinesAsync(source.Database, Instant("timestamp + interval '1 microsecond'"))).First();
        await source.DoAsync("backup", target);

        // A time is before or behind a whole transaction; a position may lie within one, and what is restored is that part of the log.
        foreach (var (until, events) in new[] { (at, all.Length), (after, all.Length), (last, all.Length), (all[0], 1), (all[1], 2) })
        {
            await using var restored = await RestoredSite.CreateAsync();
            (await restored.DoAsync("restore-backup", target, "--until", until)).ShouldContain($"Restored {events} event");
            restored.TakeKeys(source.DataFolder);
            await restored.DoAsync("audit", "verify");
            await restored.DoAsync("account", "list");
        }
        await using var empty = await RestoredSite.CreateAsync();
        foreach (var until in (string[])[before, "0"])
            (await empty.RunAsync("restore-backup", target, "--until", until)).Error.ShouldContain("there was nothing then");
        // Behind the last event, but what came after the copy began is not known.
        var later = DateTime.UtcNow.AddSeconds(1).ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture);
        foreach (var until in (string[])[later, DateTime.UtcNow.AddDays(1).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture), $"{long.Parse(last, CultureInfo.InvariantCulture) + 1}"])
            (await empty.RunAsync("restore-backup", target, "--until", until)).Error.ShouldContain("knows nothing of a later state");
        (await RestoredSite.LinesAsync(empty.Database, "select to_regclass('public.mt_events')::text")).ShouldBe([""]);

        static string Instant(string time) =>
            $"select to_char(({time}) at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"') from public.mt_events order by seq_id";
    }

    [Fact]
    public async Task Damage_is_named_and_nothing_is_written()
    {
        var (address, target) = (await site.NewAccountAsync(), Target("damaged"));
        await ImportAsync(address, 1, large: true);
        await site.DoAsync("backup", target);
        await ImportAsync(address, 1);
        await site.DoAsync("backup", target);
        var run = Path.Combine(target, "00000001");
        await using var restored = await RestoredSite.CreateAsync();
        foreach (var file in Directory.GetFiles(run).Append(Path.Combine(target, "00000002", "manifest.json")))
        {
            var octets = await File.ReadAllBytesAsync(file);
            foreach (var damaged in new[] { [.. octets[..^1]], Changed(octets), null })
            {
                if (damaged is null)
                    File.Delete(file);
                else
                    await File.WriteAllBytesAsync(file, damaged);
                var result = await restored.RunAsync("restore-backup", target);
                result.ExitCode.ShouldBe(1, file);
                // A hash that was changed in the last manifest makes another file a damaged one.
                result.Error.ShouldContain(file.StartsWith(run, StringComparison.Ordinal) ? Path.GetFileName(file) : "00000002");
                (await site.RunAsync("backup", "verify", target)).ExitCode.ShouldBe(1);
            }
            await File.WriteAllBytesAsync(file, octets);
        }
        (await RestoredSite.LinesAsync(restored.Database, "select to_regclass('public.mt_events')::text")).ShouldBe([""]);
        (await site.DoAsync("backup", "verify", target)).ShouldContain("is as it was written");
        Directory.Move(run, run + "x");
        (await site.RunAsync("backup", "verify", target)).Error.ShouldContain("run 1 should stand here");
    }

    [Fact]
    public async Task Keys_go_to_a_place_of_their_own()
    {
        var (target, keys) = (Target("keyed"), Target("keyed.keys"));
        (await site.RunAsync("backup", target, "--keys", Path.Combine(target, "keys"))).Error.ShouldContain("is inside the backup");
        Directory.CreateDirectory(Path.Combine(keys, "keys"));
        File.WriteAllText(Path.Combine(keys, "keys", "destroyed.key"), "");
        await site.DoAsync("backup", target, "--keys", keys);
        File.Exists(Path.Combine(keys, "keys", "destroyed.key")).ShouldBeFalse();
        await using var restored = await RestoredSite.CreateAsync();
        await restored.DoAsync("restore-backup", target, "--keys", keys);
        File.ReadAllBytes(Path.Combine(restored.DataFolder, "secret.key")).ShouldBe(File.ReadAllBytes(Path.Combine(site.DataFolder, "secret.key")));
        Directory.EnumerateFiles(target, "*", SearchOption.AllDirectories).ShouldAllBe(path => !path.EndsWith(".key"));
    }

    [Fact]
    public async Task What_was_plain_when_it_was_taken_is_read_after_a_restore_whatever_was_encrypted_since()
    {
        await using var source = await RestoredSite.CreateAsync();
        var (target, keys) = (Target("plain"), Target("plain.keys"));
        await PlainMailAsync(source);
        await source.DoAsync("backup", target);
        (await source.DoAsync("keys", "encrypt")).ShouldStartWith("2 contents encrypted");
        // The keys are of today, the rows are not.
        (await source.DoAsync("backup", target, "--keys", keys)).ShouldContain("Nothing is new");
        (await RestoredMailAsync(source, target, keys)).ShouldBe(await MailAsync(source));
    }

    [Fact]
    public async Task A_file_that_an_encryption_was_ended_at_does_not_stand_for_the_plain_one()
    {
        await using var source = await RestoredSite.CreateAsync();
        var (target, keys) = (Target("halfway"), Target("halfway.keys"));
        await PlainMailAsync(source);
        var number = (await RestoredSite.LinesAsync(source.Database, "select number from eventmail.content where data is null")).Single();
        var file = Directory.EnumerateFiles(Path.Combine(source.DataFolder, "content"), "*", SearchOption.AllDirectories).Single();
        await File.WriteAllBytesAsync($"{file}-{number}", [1, 2, 3]);
        await source.DoAsync("backup", target, "--keys", keys);
        (await RestoredMailAsync(source, target, keys)).ShouldBe(await MailAsync(source));
    }

    private static async Task PlainMailAsync(RestoredSite source)
    {
        await source.DoAsync("account", "add", "plain@example.test", "--password", "correct horse battery", "--set", "Auth:Argon2:Memory=8192KB", "--set", "Auth:Argon2:Iterations=1");
        var file = Path.Combine(source.DataFolder, "plain.mbox");
        await File.WriteAllTextAsync(file, Message(100) + Message(100_000));
        (await source.DoAsync("import", "mbox", file, "plain@example.test", "--set", "Keys:EncryptContents=false")).ShouldContain("2 imported");
    }

    private static async Task<string[]> RestoredMailAsync(RestoredSite source, string target, string keys)
    {
        await source.DoAsync("backup", "verify", target);
        await using var restored = await RestoredSite.CreateAsync();
        await restored.DoAsync("restore-backup", target, "--keys", keys);
        return await MailAsync(restored);
    }

    // What is in the account, message by message.
    private static async Task<string[]> MailAsync(RestoredSite from)
    {
        var folder = Path.Combine(from.DataFolder, "exported");
        await from.DoAsync("export", "eml", "plain@example.test", "INBOX", folder);
        var messages = Directory.GetFiles(folder, "*.eml", SearchOption.AllDirectories).Order(StringComparer.Ordinal).Select(File.ReadAllText).ToArray();
        messages.Length.ShouldBe(2);
        return messages;
    }

    [Fact]
    public async Task A_damaged_copy_of_the_keys_is_named()
    {
        await using var source = await RestoredSite.CreateAsync();
        var (target, keys) = (Target("badkeys"), Target("badkeys.keys"));
        await PlainMailAsync(source);
        await source.DoAsync("keys", "encrypt");
        await source.DoAsync("backup", target, "--keys", keys);
        var rows = Directory.GetFiles(keys, "*content-keys.gz").Single();
        var octets = await File.ReadAllBytesAsync(rows);
        foreach (var damaged in new[] { octets[..^30], octets[..5] })
        {
            await File.WriteAllBytesAsync(rows, damaged);
            await using var restored = await RestoredSite.CreateAsync();
            var result = await restored.RunAsync("restore-backup", target, "--keys", keys);
            (result.ExitCode, result.Error).ShouldBe((1, result.Error));
            result.Error.ShouldMatch("^eventmail: .*content-keys.gz: ");
        }
    }

    [Fact]
    public void A_copy_of_a_key_that_the_database_needs_stays_when_the_folder_of_keys_is_away()
    {
        using var folder = new TestFolder();
        var (data, target) = (Path.Combine(folder.Path, "data"), Path.Combine(folder.Path, "copy"));
        Directory.CreateDirectory(Path.Combine(data, "keys"));
        Directory.CreateDirectory(target);
        foreach (var name in (string[])["a.key", "b.key"])
            File.WriteAllText(Path.Combine(data, "keys", name), name);
        var settings = new SettingsSources(data, null, null).Load();
        KeyCopy.Write(settings, target, new HashSet<string> { "a.key" }).ShouldBe(2);
        Directory.Delete(Path.Combine(data, "keys"), recursive: true);
        // The other was destroyed: nothing is wrapped by it any more.
        KeyCopy.Write(settings, target, new HashSet<string> { "a.key" }).ShouldBe(1);
        Directory.GetFiles(Path.Combine(target, "keys")).Select(Path.GetFileName).ShouldBe(["a.key"]);
    }

    [Fact]
    public async Task A_key_that_was_damaged_does_not_take_the_place_of_its_copy()
    {
        await using var source = await RestoredSite.CreateAsync();
        var copies = Path.Combine(source.DataFolder, "copies");
        Directory.CreateDirectory(copies);
        await PlainMailAsync(source);
        var settings = new SettingsSources(source.DataFolder, null, null).Load();
        KeyCopy.Write(settings, copies, new HashSet<string>());
        var key = Directory.GetFiles(Path.Combine(source.DataFolder, "keys"), "*.key")[0];
        var whole = await File.ReadAllBytesAsync(key);
        await File.WriteAllBytesAsync(key, Changed(whole));
        Should.Throw<CommandFailedException>(() => KeyCopy.Write(settings, copies, new HashSet<string>())).Message.ShouldContain(Path.GetFileName(key));
        (await File.ReadAllBytesAsync(Path.Combine(copies, "keys", Path.GetFileName(key)))).ShouldBe(whole);
    }

    [Fact]
    public async Task A_backup_of_another_log_is_not_added_to()
    {
        var target = Target("other");
        await site.NewAccountAsync();
        await site.DoAsync("backup", target);
        await using var other = await RestoredSite.CreateAsync();
        await other.DoAsync("account", "add", "other@example.test", "--password", "correct horse battery", "--set", "Auth:Argon2:Memory=8192KB", "--set", "Auth:Argon2:Iterations=1");
        (await other.RunAsync("backup", target)).Error.ShouldContain("backup of another database");
    }

    [MountFact]
    public async Task A_full_target_is_said_and_the_backup_goes_on_when_there_is_room()
    {
        var (address, target) = (await site.NewAccountAsync(), Target("full"));
        await ImportAsync(address, 4, large: true);
        Directory.CreateDirectory(target);
        Run("mount", "-t", "tmpfs", "-o", "size=200k", "none", target).ShouldBe(0);
        try
        {
            var result = await site.RunAsync("backup", target);
            result.ExitCode.ShouldBe(1);
            result.Error.ShouldContain("goes on where this one ended");
            Run("mount", "-o", "remount,size=50m", target).ShouldBe(0);
            (await site.DoAsync("backup", target)).ShouldContain("Went on with the run that was ended.");
            (await site.DoAsync("backup", "verify", target)).ShouldContain("is as it was written");
        }
        finally
        {
            Run("umount", target);
        }
    }

    private static int Run(string program, params string[] arguments)
    {
        using var process = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        process.WaitForExit();
        return process.ExitCode;
    }

    private static byte[] Changed(byte[] octets)
    {
        var changed = octets.ToArray();
        changed[changed.Length / 2] ^= 1;
        return changed;
    }

    private string Target(string name) => Path.Combine(site.DataFolder, "backups", name);

    private async Task ImportAsync(string address, int count, bool large = false)
    {
        var mail = string.Concat(Enumerable.Range(0, count).Select(_ => Message(large ? 100_000 : 100)));
        await site.DoAsync("import", "mbox", site.Write($"mail{Interlocked.Increment(ref s_mail)}.mbox", mail), address);
    }

    private static string Message(int size) =>
        $"From a@b Mon Feb  3 12:34:56 2025\nSubject: {Interlocked.Increment(ref s_mail)}\n\n{Convert.ToBase64String(System.Security.Cryptography.RandomNumberGenerator.GetBytes(size))}\n\n";

    private async Task<(long Position, string Time)> LastAsync()
    {
        var last = (await RestoredSite.LinesAsync(
            site.Database, "select seq_id || ' ' || to_char(timestamp at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"') from public.mt_events order by seq_id desc limit 1")).Single().Split(' ');
        return (long.Parse(last[0], CultureInfo.InvariantCulture), last[1]);
    }
}
