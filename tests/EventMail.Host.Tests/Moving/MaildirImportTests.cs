namespace EventMail.Host.Tests.Moving;

public sealed class MaildirImportTests(MovingSite site) : IClassFixture<MovingSite>
{
    [Fact]
    public async Task Folders_flags_keywords_and_dates_come_over()
    {
        var address = await site.NewAccountAsync();
        var root = Path.Combine(site.Files, "maildir");
        var first = site.Write("maildir/cur/1735689600.M1P1.host,S=25,W=27:2,FRSa", "Subject: seen\n\nx\n");
        File.SetLastWriteTimeUtc(first, new DateTime(2024, 12, 31, 10, 0, 0, DateTimeKind.Utc));
        site.Write("maildir/new/1735689700.M2P1.host", "Subject: new\r\n\r\nx\n");
        site.Write("maildir/tmp/1735689800.M3P1.host", "unfinished");
        site.Write("maildir/dovecot-keywords", "0 $work\n");
        site.Write("maildir/.Work.&AMk-t&AOk-/cur/1735689900.M4P1.host:2,DPT", "Subject: draft\n\nx\n");
        Directory.CreateDirectory(Path.Combine(root, ".Empty", "cur"));

        var output = await site.DoAsync("import", "maildir", root, address);

        output.ShouldContain("3 imported, 0 there already, 0 skipped");
        var inbox = await site.MessagesAsync(address);
        inbox.Select(message => message.Sha256).ShouldBe([
            MovingSite.DigestOf("Subject: seen\n\nx\n"), MovingSite.DigestOf("Subject: new\r\n\r\nx\n"u8.ToArray())]);
        inbox[0].Flags.ShouldBe([@"\Seen", @"\Answered", @"\Flagged", "$work"], ignoreOrder: true);
        inbox[0].Date.ShouldBe(new DateTimeOffset(2024, 12, 31, 10, 0, 0, TimeSpan.Zero));
        // Its file's time is that of the copy: the name knows better.
        inbox[1].Date.ShouldBe(DateTimeOffset.FromUnixTimeSeconds(1735689700));
        inbox[1].Cause.ShouldBe("import maildir 1735689700.M2P1.host");
        (await site.MessagesAsync(address, "Work/Été")).Single().Flags.ShouldBe([@"\Draft", "$Forwarded", @"\Deleted"], ignoreOrder: true);

        // A message that changed its flags and its folder is the same one.
        File.Move(first, Path.Combine(root, "cur", "1735689600.M1P1.host,S=25,W=27:2,S"));
        (await site.DoAsync("import", "maildir", root, address)).ShouldContain("0 imported, 3 there already");
    }

    [Fact]
    public async Task Compressed_messages_are_unpacked()
    {
        var address = await site.NewAccountAsync();
        var packed = new MemoryStream();
        await using (var gzip = new System.IO.Compression.GZipStream(packed, System.IO.Compression.CompressionMode.Compress))
            await gzip.WriteAsync("Subject: packed\n\nx\n"u8.ToArray());
        site.Write("packed/cur/1735689600.M1P1.host,S=19:2,S", packed.ToArray());
        await site.DoAsync("import", "maildir", Path.Combine(site.Files, "packed"), address);
        (await site.MessagesAsync(address)).Single().Sha256.ShouldBe(MovingSite.DigestOf("Subject: packed\n\nx\n"));
    }

    [Fact]
    public async Task A_message_whose_file_was_cut_off_is_no_message()
    {
        var address = await site.NewAccountAsync();
        var packed = new MemoryStream();
        await using (var gzip = new System.IO.Compression.GZipStream(packed, System.IO.Compression.CompressionMode.Compress))
            await gzip.WriteAsync(System.Text.Encoding.ASCII.GetBytes($"Subject: long\n\n{Convert.ToHexString(System.Security.Cryptography.RandomNumberGenerator.GetBytes(50_000))}\n"));
        site.Write("cutoff/cur/1735689600.M1P1.host:2,S", packed.ToArray()[..30_000]);
        var result = await site.RunAsync("import", "maildir", Path.Combine(site.Files, "cutoff"), address);
        (result.ExitCode, result.Output).ShouldBe((1, result.Output));
        result.Error.ShouldContain("1735689600.M1P1.host: is compressed, and cut off");
        (await site.MessagesAsync(address)).ShouldBeEmpty();
    }

    [Fact]
    public async Task Links_lead_to_nothing_that_somebody_else_has()
    {
        var address = await site.NewAccountAsync();
        var secret = site.Write("secret/cur/1735689600.M9P1.host:2,S", "Subject: not yours\n\nx\n");
        var own = site.Write("linked/cur/1735689600.M1P1.host:2,S", "Subject: mine\n\nx\n");
        File.CreateSymbolicLink(Path.Combine(Path.GetDirectoryName(own)!, "1735689601.M2P1.host:2,S"), secret);
        Directory.CreateDirectory(Path.Combine(site.Files, "linked", ".Other"));
        File.CreateSymbolicLink(Path.Combine(site.Files, "linked", ".Other", "cur"), Path.GetDirectoryName(secret)!);
        var result = await site.RunAsync("import", "maildir", Path.Combine(site.Files, "linked"), address);
        result.ExitCode.ShouldBe(1);
        result.Output.ShouldContain("1 imported, 0 there already, 2 skipped");
        result.Error.ShouldContain("1735689601.M2P1.host: is a link, which is not followed");
        result.Error.ShouldContain("Other: cur is a link, which is not followed");
        (await site.MessagesAsync(address)).Single().Cause.ShouldBe("import maildir 1735689600.M1P1.host");
    }

    [Fact]
    public async Task Names_that_are_no_text_are_said_and_the_others_come()
    {
        var address = await site.NewAccountAsync();
        var root = Path.Combine(site.Files, "latin");
        site.Write("latin/cur/1735689600.M1P1.host:2,S", "Subject: here\n\nx\n");
        // .NET has no way to write these names: 0xE9 is é in Latin-1.
        using (var shell = System.Diagnostics.Process.Start("sh", ["-c", """cd "$1" && d=$(printf '.Priv\351') && mkdir -p "$d/cur" && cp cur/* "$d/cur/" && cp cur/* "cur/$(printf '1735689601.M2P1.h\351:2,S')" """, "sh", root]))
            await shell.WaitForExitAsync();
        var result = await site.RunAsync("import", "maildir", root, address);
        result.ExitCode.ShouldBe(1);
        result.Output.ShouldContain("1 imported, 0 there already, 2 skipped");
        result.Error.ShouldContain("the whole folder: its name is no UTF-8");
        result.Error.ShouldContain("has a name that is no UTF-8");
    }

    [Fact]
    public async Task A_folder_that_is_no_Maildir_is_said()
    {
        var address = await site.NewAccountAsync();
        var empty = Directory.CreateDirectory(Path.Combine(site.Files, "empty")).FullName;
        (await site.RunAsync("import", "maildir", empty, address)).Error.ShouldContain("is no Maildir");
        (await site.RunAsync("import", "maildir", "/nowhere", address)).ExitCode.ShouldBe(2);
    }
}
