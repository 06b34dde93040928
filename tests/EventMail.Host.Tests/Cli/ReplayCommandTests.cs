using System.Text.Json.Nodes;
using EventMail.Host.Cli;
using EventMail.Projections.Past;
using EventMail.Testing;
using EventMail.Testing.Transcripts;

namespace EventMail.Host.Tests.Cli;

/// <summary>`eventmail replay`: what the log alone says.</summary>
public sealed class ReplayCommandTests(CliServer server) : IClassFixture<CliServer>
{
    private readonly string _address = $"replay{Guid.NewGuid():n}@example.org";
    private DateTimeOffset _before;
    private DateTimeOffset _after;

    // Three messages; then one is flagged, one gone, a mailbox new, one renamed and one deleted.
    private async Task<ScriptedClient> LiveAsync()
    {
        await server.DoAsync("account", "add", _address, "--password", CliServer.Password);
        var client = await ScriptedClient.ConnectAsync(server.Server["imap"]);
        await client.ReadLineAsync();
        await SayAsync(client, $"a LOGIN {_address} \"{CliServer.Password}\"");
        await SayAsync(client, "a CREATE Work");
        foreach (var subject in new[] { "one", "two", "three" })
        {
            var message = $"Subject: {subject}\r\nMessage-ID: <{subject}@example.org>\r\n\r\nBody\r\n";
            await SayAsync(client, $"a APPEND INBOX \"01-Feb-2024 03:04:05 +0000\" {{{message.Length}+}}\r\n{message}");
        }
        await SayAsync(client, "a SELECT INBOX");
        await SayAsync(client, "a COPY 1:2 Archive");
        _before = DateTimeOffset.UtcNow;
        await SayAsync(client, @"a STORE 1 +FLAGS (\Flagged)");
        await SayAsync(client, @"a STORE 2 +FLAGS (\Deleted)");
        await SayAsync(client, "a EXPUNGE");
        await SayAsync(client, "a COPY 1 INBOX");
        await SayAsync(client, "a CREATE New");
        await SayAsync(client, "a RENAME Work Play");
        await SayAsync(client, "a DELETE Archive");
        _after = DateTimeOffset.UtcNow;
        return client;
    }

    private static async Task SayAsync(ScriptedClient client, string command)
    {
        await client.SendLineAsync(command);
        while (await client.ReadLineAsync() is { } line)
        {
            if (!line.StartsWith("a ", StringComparison.Ordinal))
                continue;
            line.ShouldStartWith("a OK");
            return;
        }
    }

    [Fact]
    public async Task The_log_says_what_an_account_had_at_each_time_and_what_has_changed()
    {
        await using var client = await LiveAsync();
        var (before, after) = (PastInstant.Of(_before), PastInstant.Of(_after));

        var then = await JsonAsync("replay", _address, "--until", before, "--json");
        then.Select(row => (string?)row["mailbox"]).ShouldBe(["INBOX", "Archive", "Drafts", "Sent", "Spam", "Trash", "Work"]);
        then[0]["messages"]!.GetValue<long>().ShouldBe(3);
        then[0]["uid_next"]!.GetValue<long>().ShouldBe(4);
        (await JsonAsync("replay", _address, "--json")).Select(row => (string?)row["mailbox"])
            .ShouldBe(["INBOX", "Drafts", "New", "Play", "Sent", "Spam", "Trash"]);
        (await JsonAsync("replay", _address, "--sequence", "1", "--json")).ShouldBeEmpty();
        var quick = await JsonAsync("replay", _address, "--pictures", "--until", before, "--json");
        quick.Select(row => row.ToJsonString()).ShouldBe(then.Select(row => row.ToJsonString()));
    }

    [Fact]
    public async Task A_mailboxs_messages_are_printed_and_exported_as_they_were()
    {
        await using var client = await LiveAsync();
        using var folder = new TestFolder();
        var messages = await JsonAsync("replay", _address, "INBOX", "--until", PastInstant.Of(_before), "--json", "--export", folder.Path);
        messages.Select(row => (string?)row["message_id"]).ShouldBe(["one@example.org", "two@example.org", "three@example.org"]);
        messages.ShouldAllBe(row => row["flags"]!.AsArray().Count == 0 && (string?)row["date"] == "2024-02-01T03:04:05+00:00");
        Directory.GetFiles(Path.Combine(folder.Path, "INBOX")).Select(Path.GetFileName).Order().ShouldBe(["1.eml", "2.eml", "3.eml"]);
        (await File.ReadAllTextAsync(Path.Combine(folder.Path, "INBOX", "2.eml"))).ShouldContain("Subject: two");
        (await server.DoAsync("replay", _address, "Archive", "--until", PastInstant.Of(_before))).ShouldContain("two@example.org");
    }

    [Fact]
    public async Task An_export_takes_no_file_that_is_there_for_what_the_replay_says()
    {
        await using var client = await LiveAsync();
        using var folder = new TestFolder();
        var (stale, other) = (Path.Combine(folder.Path, "INBOX", "2.eml"), Path.Combine(folder.Path, "INBOX", "9.eml"));
        Directory.CreateDirectory(Path.GetDirectoryName(stale)!);
        await File.WriteAllTextAsync(stale, "of another time");
        await File.WriteAllTextAsync(other, "somebody's own");
        string[] then = ["replay", _address, "INBOX", "--until", PastInstant.Of(_before), "--export", folder.Path];
        foreach (var command in new[] { then, ["replay", _address, "--export", folder.Path] })
            (await server.FailAsync(ExitCodes.Failed, command)).ShouldContain("is not empty");
        (await File.ReadAllTextAsync(stale)).ShouldBe("of another time");
        Directory.GetFiles(folder.Path, "*", SearchOption.AllDirectories).Length.ShouldBe(2);

        var written = await server.Server.RunAsync([.. then, "--overwrite"]);
        written.ExitCode.ShouldBe(0, written.Error);
        written.Error.ShouldContain("1 file in ");
        (await File.ReadAllTextAsync(stale)).ShouldContain("Subject: two");
        (await File.ReadAllTextAsync(other)).ShouldBe("somebody's own");
        CommandLine.Parse(["replay", _address, "--overwrite"]).Errors.ShouldNotBeEmpty();
    }

    [Fact]
    public async Task An_export_that_was_cut_off_goes_on_and_one_of_another_time_does_not()
    {
        await using var client = await LiveAsync();
        using var folder = new TestFolder();
        string[] export = ["--export", folder.Path];
        string[] then = ["replay", _address, "INBOX", "--until", PastInstant.Of(_before), .. export];
        await server.DoAsync(then);
        var (first, second) = (Path.Combine(folder.Path, "INBOX", "1.eml"), Path.Combine(folder.Path, "INBOX", "2.eml"));
        var octets = await File.ReadAllBytesAsync(second);
        File.Delete(second);

        // As if it had been cut off before its second message.
        var again = await server.Server.RunAsync(then);
        again.ExitCode.ShouldBe(0, again.Error);
        again.Error.ShouldContain("3 messages in ");
        again.Error.ShouldContain("2 of them from before");
        (await File.ReadAllBytesAsync(second)).ShouldBe(octets);

        (await server.FailAsync(ExitCodes.Failed, ["replay", _address, "INBOX", "--until", PastInstant.Of(_after), .. export])).ShouldContain("another replay");
        await File.WriteAllBytesAsync(first, octets);
        var altered = await server.Server.RunAsync(then);
        (altered.ExitCode, altered.Error.Contains("1.eml is not what the replay says")).ShouldBe((ExitCodes.Failed, true), altered.Error);
        (await File.ReadAllBytesAsync(first)).ShouldBe(octets);
        await server.DoAsync([.. then, "--overwrite"]);
        (await File.ReadAllTextAsync(first)).ShouldContain("Subject: one");
    }

    [Fact]
    public async Task By_pictures_and_from_the_first_events_it_is_the_same_at_each_position()
    {
        await using var client = await LiveAsync();
        var positions = (await JsonAsync("history", _address, "--json")).Select(row => row["sequence"]!.GetValue<long>()).ToList();
        positions.Count.ShouldBeGreaterThan(10);
        for (var i = 0; i < positions.Count; i += 3)
        {
            var at = positions[i].ToString();
            var rows = await server.DoAsync("replay", _address, "--sequence", at, "--json");
            (await server.DoAsync("replay", _address, "--sequence", at, "--json", "--pictures")).ShouldBe(rows);
            // The log in one go says it as well.
            (await JsonAsync("replay", "--sequence", at, "--json")).Where(row => (string?)row["account"] == _address).Select(row => row.ToJsonString())
                .ShouldBe((await JsonAsync("replay", _address, "--sequence", at, "--json")).Select(row => row.ToJsonString()));
        }
        foreach (var mailbox in new[] { "INBOX", "Play" })
        {
            var messages = await server.DoAsync("replay", _address, mailbox, "--json");
            (await server.DoAsync("replay", _address, mailbox, "--json", "--pictures")).ShouldBe(messages);
        }
        (await JsonAsync("replay", _address, "INBOX", "--json", "--pictures")).Select(row => (string?)row["message_id"])
            .ShouldBe(["one@example.org", "three@example.org", "one@example.org"]);
    }

    [Fact]
    public async Task Two_times_are_compared()
    {
        await using var client = await LiveAsync();
        var lines = (await server.DoAsync("replay", _address, "--diff", PastInstant.Of(_before), PastInstant.Of(_after))).Split('\n');
        // By pictures it is the same, and so it is the other way round.
        (await server.DoAsync("replay", _address, "--pictures", "--diff", PastInstant.Of(_after), PastInstant.Of(_before))).Split('\n').ShouldBe(lines);
        lines.ShouldBe(
        [
            $"{_address} INBOX: 1 gained (UID 4); 1 lost (UID 2); 1 with other flags (UID 1)",
            $"{_address} Archive: deleted; 2 lost (UID 1:2)",
            $"{_address} New: created",
            $"{_address} Play: renamed from Work",
        ]);
    }

    [Fact]
    public async Task Two_times_of_one_mailbox_are_compared()
    {
        await using var client = await LiveAsync();
        var (before, after) = (PastInstant.Of(_before), PastInstant.Of(_after));
        (await server.DoAsync("replay", _address, "inbox", "--diff", before, after)).ShouldBe($"{_address} INBOX: 1 gained (UID 4); 1 lost (UID 2); 1 with other flags (UID 1)");
        // By either name.
        foreach (var name in (string[])["Work", "Play"])
            (await server.DoAsync("replay", _address, name, "--diff", before, after)).ShouldBe($"{_address} Play: renamed from Work");
        var same = await server.Server.RunAsync(["replay", _address, "Drafts", "--diff", before, after]);
        (same.ExitCode, same.Output).ShouldBe((0, ""));
        same.Error.ShouldContain("nothing is different");
        (await server.FailAsync(ExitCodes.Failed, "replay", _address, "Nosuch", "--diff", before, after)).ShouldContain("There was no mailbox Nosuch at either time");
    }

    [Theory]
    [InlineData("replay", "--sequence", "five")]
    [InlineData("replay", "--diff", "1d")]
    [InlineData("restore", "a@example.org", "--to")]
    [InlineData("restore", "a@example.org", "--to", "1d", "--messages")]
    public void Options_without_their_values_are_refused(params string[] arguments) =>
        CommandLine.Parse(arguments).Errors.ShouldNotBeEmpty();

    [Fact]
    public async Task Words_that_make_no_sense_are_refused()
    {
        (await server.FailAsync(ExitCodes.Failed, "replay", "nobody@example.org")).ShouldContain("There is and was no account nobody@example.org");
        await using var client = await LiveAsync();
        (await server.FailAsync(ExitCodes.Failed, "replay", _address, "Nosuch")).ShouldContain("There was no mailbox Nosuch then; there were INBOX, ");
        (await server.FailAsync(ExitCodes.Failed, "replay", "--until", "2001-01-01")).ShouldContain("There was nothing at 2001-01-01: the log begins at 20");
        (await server.FailAsync(ExitCodes.Failed, "replay", _address, "--until", "2999-01-01")).ShouldContain("2999-01-01 is in the future");
        (await server.FailAsync(ExitCodes.Failed, "replay", _address, "--pictures", "--until", "2999-01-01")).ShouldContain("2999-01-01 is in the future");
        (await server.FailAsync(ExitCodes.Failed, "replay", "--diff", "2001-01-01", "2999-01-01")).ShouldContain("There was nothing at 2001-01-01");
        (await server.FailAsync(ExitCodes.Failed, "replay", "--sequence", "0")).ShouldContain("it goes from 1 to ");
        (await server.FailAsync(ExitCodes.Failed, "replay", "--sequence", "999999999")).ShouldContain("There is no position 999999999");
        (await server.Server.RunAsync(["replay", "--until", "2026-01-01", "--sequence", "3"])).ExitCode.ShouldBe(ExitCodes.Usage);
        (await server.Server.RunAsync(["replay", "--export", "/tmp/x"])).ExitCode.ShouldBe(ExitCodes.Usage);
        (await server.FailAsync(ExitCodes.Failed, "replay", _address, "Nosuch", "--pictures")).ShouldContain("There was no mailbox Nosuch then; there were INBOX, ");
        (await server.FailAsync(ExitCodes.Failed, "replay", _address, "INBOX", "--sequence", "1")).ShouldContain("There was no mailbox INBOX then; there was none.");
        (await server.FailAsync(ExitCodes.Usage, "replay", "--until", "2026-10-25T02:30:00 CEST")).ShouldContain("is no time");
    }

    private async Task<List<JsonNode>> JsonAsync(params string[] arguments) =>
        [.. (await server.DoAsync(arguments)).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!)];
}
