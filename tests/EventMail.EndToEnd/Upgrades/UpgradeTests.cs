using System.Text.RegularExpressions;
using EventMail.Testing;

namespace EventMail.EndToEnd.Upgrades;

/// <summary>
/// A program starts whose read models are of another version than those of the program that serves. The other version is this one, said
/// to be older: what is in the catalog and in the old program's row is all that the new one knows of it.
/// </summary>
public sealed partial class UpgradeTests
{
    private static readonly string[] Models = ["mailbox", "quota", "mailbox_snapshot"];

    // Of these the views are persisted behind the commits: nothing of them is folded.
    private const int Folded = 2;

    [Fact]
    public async Task A_new_program_builds_its_read_models_beside_the_old_one_and_changes_over_by_itself()
    {
        using var folder = new TempFolder();
        await using var database = await TestDatabase.CreateAsync();
        await using var old = await TestServer.StartAsync(Options(database, folder["old"]));
        var account = await MailServer.NewAccountAsync(old);
        for (var n = 0; n < 5; n++)
        {
            await Delivery.SendAsync(old["smtp"], account, $"Subject: {n}\r\n\r\nBody\r\n");
        }

        string before;
        await using (var imap = await ImapClient.LoginAsync(old["imap"], account))
        {
            await imap.RunAsync("SELECT INBOX");
            await imap.RunAsync(@"STORE 2:3 +FLAGS (\Flagged Work)");
            await imap.RunAsync("COPY 2 Archive");
            before = await PictureAsync(imap);
        }

        var names = string.Join(", ", Models.Select(name => $"'{name}'"));
        await RunAsync(database, $"update eventmail.read_model set version = 0 where name in ({names})");
        await RunAsync(database, $"update eventmail.node set read_models = regexp_replace(read_models, ' ({string.Join('|', Models)})=\\d+ ', ' \\1=0 ', 'g')");

        Copy(folder["old"], folder["new"]);
        var waits = new TaskCompletionSource();
        var starting = TestServer.StartAsync(Options(database, folder["new"]) with
        {
            Logged = line =>
            {
                if (line.Contains("waits: 1 programs that are running fold", StringComparison.Ordinal))
                    waits.TrySetResult();
            },
        });
        for (var patience = DateTime.UtcNow + Waiting.Limit; await ScalarAsync(database, "select count(*) from eventmail.read_model_build where position >= target") < Folded; await Task.Delay(50))
        {
            DateTime.UtcNow.ShouldBeLessThan(patience, "nothing is built");
            starting.IsFaulted.ShouldBeFalse(starting.Exception?.ToString());
        }

        // The old one serves until it is stopped, and what comes to it meanwhile is no less there.
        await Delivery.SendAsync(old["smtp"], account, "Subject: meanwhile\r\n\r\nBody\r\n");
        await waits.Task.InTime("that it waits for the old one");
        starting.IsCompleted.ShouldBeFalse("it serves beside a program of another version");
        (await ScalarAsync(database, "select count(*) from eventmail.read_model where version = 0")).ShouldBe(Models.Length);
        (await old.StopAsync()).ShouldBe(0);

        await using var server = await starting;
        (await ScalarAsync(database, "select count(*) from eventmail.read_model where version = 0")).ShouldBe(0);
        await using (var imap = await ImapClient.LoginAsync(server["imap"], account))
        {
            (await PictureAsync(imap, upTo: 5)).ShouldBe(before);
            (await imap.RunAsync("STATUS INBOX (MESSAGES UIDNEXT)")).ShouldContain("* STATUS INBOX (MESSAGES 6 UIDNEXT 7)");
        }

        var verified = await server.RunAsync("projections", "verify");
        verified.ExitCode.ShouldBe(0, verified.Output + verified.Error);
        (await server.RunAsync("projections", "status")).Output.Split('\n').Count(line => line.Contains("generation ", StringComparison.Ordinal)).ShouldBe(Models.Length);
    }

    private static TestServerOptions Options(TestDatabase database, string folder) =>
        new() { ConnectionString = database.ConnectionString, DataFolder = folder, Settings = MailServer.Settings };

    // Without what the message that came meanwhile has moved.
    private static async Task<string> PictureAsync(ImapClient imap, int upTo = 5)
    {
        var lines = new List<string>(await imap.RunAsync("LIST \"\" *"));
        foreach (var mailbox in (string[])["INBOX", "Archive"])
        {
            lines.AddRange(await imap.RunAsync($"STATUS {mailbox} (UIDVALIDITY)"));
            await imap.RunAsync($"EXAMINE {mailbox}");
            // What stands beside the answers (HIGHESTMODSEQ) is of the moment.
            lines.AddRange((await imap.RunAsync($"UID FETCH 1:{upTo} (FLAGS MODSEQ INTERNALDATE RFC822.SIZE ENVELOPE)")).Where(line => !line.StartsWith("* OK", StringComparison.Ordinal)));
        }

        return Recent().Replace(string.Join('\n', lines), "").Replace("( ", "(").Replace(" )", ")");
    }

    // Hosts on one database share their keys.
    private static void Copy(string from, string to)
    {
        foreach (var path in Directory.EnumerateFiles(from, "*.key", SearchOption.AllDirectories))
        {
            var target = Path.Combine(to, Path.GetRelativePath(from, path));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            File.Copy(path, target);
        }
    }

    private static async Task RunAsync(TestDatabase database, string sql)
    {
        await using var command = database.DataSource.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    private static async Task<long> ScalarAsync(TestDatabase database, string sql)
    {
        await using var command = database.DataSource.CreateCommand(sql);
        return (long)(await command.ExecuteScalarAsync())!;
    }

    [GeneratedRegex(@"\\Recent")]
    private static partial Regex Recent();
}
