using EventMail.Testing;

namespace EventMail.Host.Tests.Moving;

public sealed class MboxImportTests(MovingSite site) : IClassFixture<MovingSite>
{
    private const string Two = """
        From alice@example.org Mon Feb  3 12:34:56 2025
        Status: RO
        X-Status: AF
        X-Keywords: $Forwarded work
        Subject: one

        >From here on
        >>From there
        not >From

        From bob@example.org  Tue Feb  4 01:02:03 2025 +0100
        Subject: two

        From hand to mouth
        end


        """;

    private static readonly string First = "Subject: one\n\nFrom here on\n>From there\nnot >From\n";
    private static readonly string Second = "Subject: two\n\nFrom hand to mouth\nend\n";

    [Fact]
    public async Task Messages_come_with_their_octets_dates_and_flags()
    {
        var address = await site.NewAccountAsync();
        var output = await site.DoAsync("import", "mbox", site.Write("two.mbox", Two), address);
        output.ShouldContain("2 imported, 0 there already, 0 skipped");
        var messages = await site.MessagesAsync(address);
        messages.Select(message => message.Sha256).ShouldBe([MovingSite.DigestOf(First), MovingSite.DigestOf(Second)]);
        messages[0].Flags.ShouldBe([@"\Seen", @"\Answered", @"\Flagged", "$Forwarded", "work"], ignoreOrder: true);
        messages[0].Date.ShouldBe(new DateTimeOffset(2025, 2, 3, 12, 34, 56, TimeSpan.Zero));
        messages[1].Flags.ShouldBeEmpty();
        messages[1].Date.ShouldBe(new DateTimeOffset(2025, 2, 4, 0, 2, 3, TimeSpan.Zero));
        messages[0].Cause.ShouldBe("import mbox two.mbox@0");
    }

    [Fact]
    public async Task A_second_time_brings_only_what_is_new()
    {
        var address = await site.NewAccountAsync();
        // The same message twice is two messages.
        var file = site.Write("grows.mbox", Two + Two);
        await site.DoAsync("import", "mbox", file, address, "Old/Mail");
        File.AppendAllText(file, "From - \nSubject: three\nDate: Wed, 5 Feb 2025 10:00:00 +0000\n\nx\n");
        var output = await site.DoAsync("import", "mbox", file, address, "Old/Mail");
        output.ShouldContain("Old/Mail: 1 imported");
        output.ShouldContain("4 there already");
        var messages = await site.MessagesAsync(address, "Old/Mail");
        messages.Count.ShouldBe(5);
        messages[4].Date.ShouldBe(new DateTimeOffset(2025, 2, 5, 10, 0, 0, TimeSpan.Zero));
    }

    [Fact]
    public async Task A_dry_run_changes_nothing()
    {
        var address = await site.NewAccountAsync();
        var output = await site.DoAsync("import", "mbox", site.Write("dry.mbox", Two), address, "New", "--dry-run");
        output.ShouldContain("2 to import");
        (await site.MessagesAsync(address, "New")).ShouldBeEmpty();
        (await site.DoAsync("import", "mbox", site.Write("dry.mbox", Two), address, "New")).ShouldContain("2 imported");
        (await site.DoAsync("import", "mbox", site.Write("dry.mbox", Two), address, "New", "--dry-run")).ShouldContain("0 to import, 2 there already");
    }

    [Fact]
    public async Task What_cannot_be_imported_is_named_and_the_rest_is_imported()
    {
        var address = await site.NewAccountAsync();
        var file = site.Write("bad.mbox", "junk before\n\n" + Two + "From x@y.test Mon Feb  3 12:34:56 2025\nSubject: nul\n\na\0b\n\n"
            + "From x@y.test Mon Feb  3 12:34:56 2025\nSubject: large\n\n" + new string('x', 70_000) + "\n\n"
            + "From x@y.test Mon Feb  3 12:34:56 2025\nX-Mozilla-Status: 0009\nSubject: gone\n\na\n");
        var result = await site.RunAsync("import", "mbox", file, address, "--set", "Imap:MaxMessageSize=64KiB");
        result.ExitCode.ShouldBe(1);
        result.Output.ShouldContain("2 imported, 0 there already, 4 skipped");
        result.Error.ShouldContain("NUL octets");
        result.Error.ShouldContain("larger than 64 KiB");
        result.Error.ShouldContain("deleted in Thunderbird");
        result.Error.ShouldContain("11 bytes at its beginning belong to no message");
    }

    [Fact]
    public async Task A_full_account_ends_it_and_more_quota_lets_it_go_on()
    {
        var address = await site.NewAccountAsync();
        await site.DoAsync("account", "quota", address, "70");
        var file = site.Write("quota.mbox", Two);
        var result = await site.RunAsync("import", "mbox", file, address);
        result.ExitCode.ShouldBe(1);
        result.Error.ShouldContain("--ignore-quota");
        (await site.DoAsync("import", "mbox", file, address, "--ignore-quota")).ShouldContain("there already, 0 skipped");
        (await site.MessagesAsync(address)).Count.ShouldBe(2);
    }

    [Theory]
    [InlineData("Subject: c\nContent-Length: 31\n\nx\n\nFrom a@b Mon Feb  3 12:34:5\ny\n", "Subject: c\nContent-Length: 31\n\nx\n")]
    [InlineData("Subject: c\nContent-Length: 38\n\nx\n\nFrom a@b Mon Feb  3 12:34:56 2025\n>From\n", "Subject: c\n\nx\n\nFrom a@b Mon Feb  3 12:34:56 2025\n>From\n", "auto")]
    public async Task Content_Length_counts_where_it_leads_to_the_next_message(string written, string meant, string format = "Mboxrd")
    {
        var address = await site.NewAccountAsync();
        var length = written[(written.IndexOf("\n\n", StringComparison.Ordinal) + 2)..].Length;
        if (format == "auto")
            written = written.Replace("38", $"{length}");
        var file = site.Write("length.mbox", $"From a@b Mon Feb  3 12:34:56 2025\n{written}\nFrom a@b Mon Feb  3 12:34:56 2025\nSubject: next\n\nz\n");
        await site.DoAsync("import", "mbox", file, address, "--format", format);
        var digests = (await site.MessagesAsync(address)).Select(message => message.Sha256).ToList();
        digests[^1].ShouldBe(MovingSite.DigestOf("Subject: next\n\nz\n"));
        if (format == "auto")
            digests.ShouldBe([MovingSite.DigestOf(meant), digests[^1]]);
    }

    [Fact]
    public async Task Lines_longer_than_any_buffer_and_CRLF_files_come_as_they_are()
    {
        var address = await site.NewAccountAsync();
        var message = "Subject: long\r\n\r\n" + new string('y', 700_000) + "\r\nFrom\r\n\r\nend\r\n";
        await site.DoAsync("import", "mbox", site.Write("long.mbox", $"From a@b Mon Feb  3 12:34:56 2025\r\n{message}\r\n"), address);
        (await site.MessagesAsync(address)).Single().Sha256.ShouldBe(MovingSite.DigestOf(System.Text.Encoding.Latin1.GetBytes(message)));
    }

    [Fact]
    public async Task A_file_or_an_account_that_is_not_there_is_said()
    {
        var address = await site.NewAccountAsync();
        (await site.RunAsync("import", "mbox", "/nowhere/mail", address)).ExitCode.ShouldBe(2);
        (await site.RunAsync("import", "mbox", site.Write("x.mbox", ""), "nobody@example.test")).Error.ShouldContain("There is no account");
    }
}
