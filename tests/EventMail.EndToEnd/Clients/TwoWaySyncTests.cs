using System.Globalization;
using System.Net;
using EventMail.EndToEnd.Differential;

namespace EventMail.EndToEnd.Clients;

/// <summary>Programs that keep a maildir and the mailboxes the same: what changes on one side, flags and deletions too, changes on the other.</summary>
public sealed class TwoWaySyncTests(MailServer server) : IClassFixture<MailServer>
{
    [NeedsFact("mbsync")]
    public Task Mbsync_carries_flags_and_deletions_both_ways() => CarriesBothWaysAsync(SyncPrograms.Mbsync);

    [NeedsFact("offlineimap")]
    public Task Offlineimap_carries_flags_and_deletions_both_ways() => CarriesBothWaysAsync(SyncPrograms.Offlineimap);

    private async Task CarriesBothWaysAsync(Func<TempFolder, IPEndPoint, string, Func<Task>> program)
    {
        var account = await server.NewAccountAsync();
        using var folder = new TempFolder();
        var sync = program(folder, server["imap"], account);
        await using var imap = await ImapClient.LoginAsync(server["imap"], account);
        for (var i = 1; i <= 6; i++)
        {
            await imap.RunAsync("APPEND INBOX " + Literals.Of(string.Create(CultureInfo.InvariantCulture, $"Subject: Number {i}\r\nMessage-ID: <{i}@example.org>\r\n\r\nBody {i}\r\n")));
        }

        await sync();
        Near().Keys.ShouldBe(["Number 1", "Number 2", "Number 3", "Number 4", "Number 5", "Number 6"]);

        // There: one read, one answered and unread again later, one gone. Here: one flagged, one gone, one new.
        await imap.RunAsync("SELECT INBOX");
        await imap.RunAsync(@"UID STORE 1 +FLAGS (\Seen)");
        await imap.RunAsync(@"UID STORE 2 +FLAGS (\Seen \Answered)");
        await imap.RunAsync(@"UID STORE 3 +FLAGS (\Deleted)");
        await imap.RunAsync("EXPUNGE");
        Rename("Number 4", "F");
        File.Delete(Near()["Number 5"]);
        await File.WriteAllTextAsync(folder["mail/INBOX/cur/1234567890.1.here:2,FS"], "Subject: From here\nMessage-ID: <here@example.org>\n\nBody here\n");
        await sync();
        Near().Keys.ShouldBe(["From here", "Number 1", "Number 2", "Number 4", "Number 6"]);
        Flags("Number 1").ShouldBe("S");
        Flags("Number 2").ShouldBe("RS");
        Flags("Number 4").ShouldBe("F");
        (await FarAsync()).ShouldBe([@"From here: \Flagged \Seen", @"Number 1: \Seen", @"Number 2: \Answered \Seen", @"Number 4: \Flagged", "Number 6: "]);

        // Flags are taken away, too; each side takes away one that the other had set. A new one there.
        Rename("Number 1", "");
        Rename("Number 2", "R");
        await imap.RunAsync(@"UID STORE 4 -FLAGS (\Flagged)");
        await imap.RunAsync("APPEND INBOX (\\Seen) " + Literals.Of("Subject: Number 7\r\nMessage-ID: <7@example.org>\r\n\r\nBody 7\r\n"));
        await sync();
        Flags("Number 4").ShouldBe("");
        Flags("Number 7").ShouldBe("S");
        (await FarAsync()).ShouldBe([@"From here: \Flagged \Seen", "Number 1: ", @"Number 2: \Answered", "Number 4: ", "Number 6: ", @"Number 7: \Seen"]);

        // With nothing to do, nothing is done.
        var before = Near().Values.ToList();
        await sync();
        Near().Values.ShouldBe(before);
        (await FarAsync()).Count.ShouldBe(6);

        // By subject.
        SortedDictionary<string, string> Near() => new(
            Directory.GetFiles(folder["mail/INBOX"], "*", SearchOption.AllDirectories).Where(file => Path.GetFileName(Path.GetDirectoryName(file)) is "cur" or "new")
                .ToDictionary(file => File.ReadLines(file).First(line => line.StartsWith("Subject: ", StringComparison.Ordinal))[9..], file => file), StringComparer.Ordinal);

        // Without mbsync's and offlineimap's own marks, which are before the flags.
        string Flags(string subject) => Path.GetFileName(Near()[subject]) is var name && name.Contains(":2,") ? name[(name.LastIndexOf(',') + 1)..] : "";

        void Rename(string subject, string flags)
        {
            var file = Near()[subject];
            var name = Path.GetFileName(file);
            var end = name.IndexOf(":2,", StringComparison.Ordinal);
            File.Move(file, Path.Combine(folder["mail/INBOX/cur"], (end < 0 ? name : name[..end]) + ":2," + flags));
        }

        async Task<List<string>> FarAsync()
        {
            await using var session = await DifferentialSession.LoginAsync(server["imap"], account);
            await session.RunAsync("EXAMINE INBOX");
            var answer = await session.RunAsync("FETCH 1:* (FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])");
            return [.. answer.Fetched.Keys.Select(key => key.Message).Distinct().Select(number =>
                answer.Fetched[(number, "BODY[HEADER.FIELDS (SUBJECT)]")].Text[9..].Trim() + ": "
                + string.Join(' ', answer.Fetched[(number, "FLAGS")].Items!.Select(flag => flag.Text).Where(flag => flag != @"\Recent").Order(StringComparer.Ordinal)))
                .Order(StringComparer.Ordinal)];
        }
    }
}
