using System.Diagnostics;
using System.Globalization;
using System.Text;
using EventMail.Domain.Mailboxes;
using EventMail.Host.Composition;
using EventMail.Host.Configuration;
using EventMail.Projections;
using EventMail.Projections.Accounts;
using EventMail.Projections.Mailboxes;
using EventMail.Projections.Metadata;
using EventMail.Testing;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace EventMail.Host.Tests.Cli;

/// <summary>`restore` beside a node on which users and a thief are at work. One database; an account for each test.</summary>
public sealed class RestoreCommandTests(RestoreCommandTests.Node node) : IClassFixture<RestoreCommandTests.Node>
{
    public sealed class Node : IAsyncLifetime
    {
        private readonly TestFolder _folder = new();
        private TestDatabase _postgres = null!;
        private HostDatabase _database = null!;

        public MailStore Store { get; private set; } = null!;

        public async Task InitializeAsync()
        {
            _postgres = await TestDatabase.CreateAsync();
            var settings = new HostSettings { Data = _folder.Path, Database = new() { ConnectionString = _postgres.ConnectionString } };
            _database = await HostDatabase.AttachAsync(settings, NullLoggerFactory.Instance, default);
            Store = await MailStore.OpenAsync(settings, _database, NullLoggerFactory.Instance, default);
        }

        public async Task DisposeAsync()
        {
            await Store.DisposeAsync();
            await _database.DisposeAsync();
            await _postgres.DisposeAsync();
            _folder.Dispose();
        }

        public Task<CommandResult> RunAsync(string[] arguments) => TestCommand.RunAsync(Words(arguments));

        public Process Begin(string[] arguments) => TestServer.Begin(Words(arguments));

        private string[] Words(string[] arguments) =>
        [
            .. arguments, "--data", _folder.Path, "--set", $"Database:ConnectionString={_postgres.ConnectionString}",
            .. CliServer.Settings.SelectMany(setting => new[] { "--set", setting }),
        ];

        /// <summary>As one account's clients see it.</summary>
        public string EmailId(string account, long content)
        {
            var id = new byte[EmailIds.Length];
            new EmailIds(SecretKey.Open(_folder.Path).ObjectIdKey(account)).Write(content, id);
            return Encoding.ASCII.GetString(id);
        }
    }

    private static readonly UidSet All = UidSet.OfRange(1, uint.MaxValue);

    private readonly string _address = $"u{Guid.NewGuid():n}@restore.example";
    private string _account = "";

    private async Task<string> DoAsync(params string[] arguments)
    {
        var result = await node.RunAsync(arguments);
        result.ExitCode.ShouldBe(0, result.Output + result.Error);
        return result.Output.TrimEnd('\n');
    }

    private async Task<string> FailAsync(int exitCode, params string[] arguments)
    {
        var result = await node.RunAsync(arguments);
        result.ExitCode.ShouldBe(exitCode, result.Output + result.Error);
        return result.Error.TrimEnd('\n').Split('\n')[^1];
    }

    private async Task OpenAccountAsync()
    {
        await DoAsync("account", "add", _address, "--password", CliServer.Password);
        _account = (await node.Store.Directory.FindAsync(_address, default))!.Account;
    }

    private Actor As(string session) => new(_address, session, "{\"protocol\":\"imap\"}");

    private static string Now() => DateTimeOffset.UtcNow.ToString("O", CultureInfo.InvariantCulture);

    private async Task AppendAsync(string session, string mailbox, string subject, params string[] flags)
    {
        await using var message = IncomingMessage.Begin(node.Store.Log.Contents);
        await message.WriteAsync(Encoding.ASCII.GetBytes($"Subject: {subject}\r\nMessage-ID: <{subject}@{_account}.example>\r\n\r\n{_account}\r\n"), default);
        (await node.Store.Mailboxes.AppendAsync(
            _account, mailbox, await message.CompleteAsync(false, default), flags, DateTimeOffset.UnixEpoch.AddDays(subject.Length), As(session), "A", default))
            .Rejection.ShouldBeNull();
    }

    private async Task<OpenMailbox> OpenAsync(string mailbox) => (await node.Store.Mailboxes.OpenAsync(_account, mailbox, default)).Value!;

    private async Task InAsync(string mailbox, Func<OpenMailbox, Task> act)
    {
        using var open = await OpenAsync(mailbox);
        await act(open);
    }

    private Task StoreAsync(string session, string mailbox, string uids, StoreMode mode, params string[] flags) => InAsync(mailbox, async open =>
        (await node.Store.Mailboxes.StoreAsync(open, UidSet.Parse(uids), mode, flags, null, As(session), "A", default)).Rejection.ShouldBeNull());

    private async Task ExpungeAsync(string session, string mailbox, string uids)
    {
        await StoreAsync(session, mailbox, uids, StoreMode.Add, @"\Deleted");
        await InAsync(mailbox, async open =>
            (await node.Store.Mailboxes.ExpungeAsync(open, UidSet.Parse(uids), As(session), "A", default)).Rejection.ShouldBeNull());
    }

    private Task MoveAsync(string session, string mailbox, string uids, string to) => InAsync(mailbox, async open =>
        (await node.Store.Mailboxes.CopyAsync(open, UidSet.Parse(uids), to, move: true, As(session), "A", default)).Rejection.ShouldBeNull());

    /// <summary>UID, subject and flags of each message.</summary>
    private async Task<string> PictureAsync(string mailbox)
    {
        using var open = await OpenAsync(mailbox);
        var words = new List<string>();
        for (var i = 0; i < open.View.Count; i++)
        {
            var row = open.View[i];
            await using var content = await node.Store.Log.Contents.ReadAsync(row.Content);
            content.TryGetMemory(out var bytes);
            var subject = Encoding.ASCII.GetString(bytes.Span).Split("\r\n")[0]["Subject: ".Length..];
            row.InternalDate.ShouldBe(DateTimeOffset.UnixEpoch.AddDays(subject.Length).ToUnixTimeSeconds());
            var flags = Enumerable.Range(0, open.View.Flags.Count).Where(bit => (row.Flags >> bit & 1) == 1).Select(open.View.Flags.NameOf);
            words.Add(string.Join(' ', [$"{row.Uid}", subject, .. flags]));
        }
        return string.Join("; ", words);
    }

    private MetadataService Metadata() => new(node.Store.Log, node.Store.Mailboxes, null);

    private async Task AnnotateAsync(string session, string mailbox, string entry, string value)
    {
        using var metadata = Metadata();
        (await metadata.SetAsync(_account, false, mailbox, [(entry, Encoding.ASCII.GetBytes(value))], As(session), null, default)).Rejection.ShouldBeNull();
    }

    private async Task<string> AnnotationsAsync(string mailbox)
    {
        using var metadata = Metadata();
        return string.Join(' ', (await metadata.GetAsync(_account, mailbox, default)).Value!.Select(value => $"{value.Entry}={Encoding.ASCII.GetString(value.Value)}"));
    }

    private async Task<string[]> NamesAsync() =>
        [.. (await node.Store.Mailboxes.ListAsync(_account, default)).Select(mailbox => mailbox.Name)];

    [Fact]
    public async Task What_a_thief_did_is_undone_and_what_others_did_meanwhile_stays()
    {
        await OpenAccountAsync();
        foreach (var name in (string[])["Work", "Lists"])
            (await node.Store.Mailboxes.CreateAsync(_account, name, null, As("user"), "A", default)).Rejection.ShouldBeNull();
        foreach (var subject in (string[])["one", "two", "three", "four"])
            await AppendAsync("user", "INBOX", subject, @"\Seen");
        await AppendAsync("user", "Work", "plan", "urgent");
        await AppendAsync("user", "Lists", "digest");
        var (workBefore, namesBefore) = (await PictureAsync("Work"), await NamesAsync());

        await ExpungeAsync("thief", "INBOX", "1");
        await MoveAsync("thief", "INBOX", "2", "Trash");
        await StoreAsync("thief", "INBOX", "3:4", StoreMode.Remove, @"\Seen");
        await AppendAsync("user", "INBOX", "fifth");
        await StoreAsync("user", "INBOX", "4", StoreMode.Add, @"\Flagged");
        await AppendAsync("thief", "INBOX", "bait");
        (await node.Store.Mailboxes.DeleteAsync(_account, "Work", As("thief"), "A", default)).Rejection.ShouldBeNull();
        (await node.Store.Mailboxes.RenameAsync(_account, "Lists", "Gone", As("thief"), "A", default)).Rejection.ShouldBeNull();
        (await node.Store.Mailboxes.CreateAsync(_account, "Loot", null, As("thief"), "A", default)).Rejection.ShouldBeNull();
        await AppendAsync("thief", "Loot", "spoils");
        (await node.Store.Mailboxes.Access.SetAsync(
            _account, "INBOX", "anyone", RightsMode.Replace, Rights.Read | Rights.Lookup, As("thief"), null, default)).Rejection.ShouldBeNull();
        (await node.Store.Mailboxes.SubscribeAsync(_account, "Loot", true, As("thief"), "A", default)).Rejection.ShouldBeNull();

        await AnnotateAsync("user", "INBOX", "/private/comment", "mine");
        await AnnotateAsync("thief", "INBOX", "/private/comment", "ours");
        await AnnotateAsync("thief", "", "/private/vendor/thief/note", "I was here");
        await AnnotateAsync("user", "INBOX", "/private/vendor/user/color", "blue");

        var said = await DoAsync("restore", "--session", "thief", _address, "--dry-run");
        said.ShouldContain("2 annotations as before");
        said.ShouldContain("Work: mailbox back with its UIDs");
        said.ShouldContain("INBOX: 2 messages back");
        (await PictureAsync("INBOX")).ShouldContain("bait");
        (await NamesAsync()).ShouldContain("Loot");

        said = await DoAsync("restore", "--session", "thief", _address);
        said.ShouldContain("INBOX: 2 messages back, flags of 2 as before, 1 removed");
        said.ShouldContain("Lists: renamed back");
        said.ShouldContain("1 subscription as before");
        said.ShouldNotContain("not undone");
        (await AnnotationsAsync("INBOX")).ShouldBe("/private/comment=mine /private/vendor/user/color=blue");
        (await AnnotationsAsync("")).ShouldNotContain("thief");
        (await PictureAsync("INBOX")).ShouldBe(@"3 three \Seen; 4 four \Seen \Flagged; 5 fifth; 7 one \Seen; 8 two \Seen");
        (await PictureAsync("Work")).ShouldBe(workBefore);
        (await PictureAsync("Lists")).ShouldBe("1 digest");
        (await PictureAsync("Trash")).ShouldBe("");
        (await NamesAsync()).ShouldBe(namesBefore);
        (await node.Store.Mailboxes.SubscriptionsAsync(_account, default)).ShouldNotContain("Loot");
        (await node.Store.Mailboxes.Access.ListAsync(_account, "INBOX", default)).Value!.Count.ShouldBe(1);

        (await DoAsync("restore", "--session", "thief", _address)).ShouldContain("nothing is missing");
    }

    [Fact]
    public async Task An_account_is_again_as_it_was_and_what_came_since_stays()
    {
        await OpenAccountAsync();
        (await node.Store.Mailboxes.CreateAsync(_account, "Work", null, As("user"), "A", default)).Rejection.ShouldBeNull();
        foreach (var subject in (string[])["one", "two", "three"])
            await AppendAsync("user", "INBOX", subject, @"\Seen", "kept");
        await AppendAsync("user", "Work", "plan");
        var then = Now();

        await ExpungeAsync("user", "INBOX", "1");
        await MoveAsync("user", "INBOX", "2", "Archive");
        await StoreAsync("user", "INBOX", "3", StoreMode.Replace, @"\Answered");
        await AppendAsync("user", "INBOX", "later");
        (await node.Store.Mailboxes.DeleteAsync(_account, "Work", As("user"), "A", default)).Rejection.ShouldBeNull();

        var said = await DoAsync("restore", _address, "--to", then);
        said.ShouldContain("INBOX: 1 message back, flags of 1 as before, 1 are in other mailboxes");
        said.ShouldContain("Work: mailbox back with its UIDs");
        (await PictureAsync("INBOX")).ShouldBe(@"3 three \Seen kept; 4 later; 5 one \Seen kept");
        (await PictureAsync("Work")).ShouldBe("1 plan");
        (await PictureAsync("Archive")).ShouldBe(@"1 two \Seen kept");
        (await DoAsync("restore", _address, "INBOX", "--to", then, "--moved", "--keep-flags")).ShouldContain("INBOX: 1 message back");
        (await DoAsync("restore", _address, "--to", then, "--moved")).ShouldBe("nothing is missing");
    }

    [Fact]
    public async Task Single_messages_come_back_by_their_UIDs_of_then_into_a_mailbox_that_was_made_anew()
    {
        await OpenAccountAsync();
        (await node.Store.Mailboxes.CreateAsync(_account, "Work", null, As("user"), "A", default)).Rejection.ShouldBeNull();
        await AppendAsync("user", "Work", "plan", "urgent");
        await AppendAsync("user", "Work", "draft");
        var then = Now();
        (await node.Store.Mailboxes.DeleteAsync(_account, "Work", As("user"), "A", default)).Rejection.ShouldBeNull();
        (await node.Store.Mailboxes.CreateAsync(_account, "Work", null, As("user"), "A", default)).Rejection.ShouldBeNull();
        await AppendAsync("user", "Work", "other");
        (await DoAsync("restore", _address, "Work", "--to", then, "--messages", "1")).ShouldContain("Work: 1 message back");
        (await PictureAsync("Work")).ShouldBe("1 other; 2 plan urgent");
    }

    [Fact]
    public async Task Annotations_of_a_mailbox_are_again_as_they_were_and_new_ones_stay()
    {
        await OpenAccountAsync();
        await AnnotateAsync("user", "INBOX", "/private/comment", "before");
        var then = Now();
        await AnnotateAsync("user", "INBOX", "/private/comment", "after");
        await AnnotateAsync("user", "INBOX", "/private/vendor/user/color", "blue");
        (await DoAsync("restore", _address, "--to", then, "--dry-run")).ShouldContain("INBOX: 1 annotation as before");
        (await DoAsync("restore", _address, "--to", then)).ShouldContain("INBOX: 1 annotation as before");
        (await AnnotationsAsync("INBOX")).ShouldContain("/private/comment=before /private/vendor/user/color=blue");
        (await DoAsync("restore", _address, "--to", then)).ShouldBe("nothing is missing");
    }

    [Fact]
    public async Task Messages_come_back_by_what_they_are_called_wherever_they_were()
    {
        await OpenAccountAsync();
        foreach (var subject in (string[])["one", "two", "three"])
            await AppendAsync("user", "INBOX", subject);
        (await node.Store.Mailboxes.CreateAsync(_account, "Work", null, As("user"), "A", default)).Rejection.ShouldBeNull();
        await AppendAsync("user", "Work", "plan");
        long third;
        using (var open = await OpenAsync("INBOX"))
            third = open.View[2].Content;
        var then = Now();
        await ExpungeAsync("user", "INBOX", "1:3");
        (await node.Store.Mailboxes.DeleteAsync(_account, "Work", As("user"), "A", default)).Rejection.ShouldBeNull();

        // Of mailboxes that had none of them nothing is done.
        (await DoAsync("restore", _address, "--to", then, "--messages", $"<two@{_account}.example>", "--messages", node.EmailId(_account, third)))
            .ShouldStartWith("INBOX: 2 messages back");
        (await PictureAsync("INBOX")).ShouldBe("4 two; 5 three");
        (await NamesAsync()).ShouldNotContain("Work");
        (await DoAsync("restore", _address, "INBOX", "--to", then, "--messages", "1", "--messages", $"two@{_account}.example")).ShouldContain("INBOX: 1 message back");
        (await DoAsync("restore", _address, "--to", then, "--messages", $"plan@{_account}.example")).ShouldContain("Work: mailbox back");
        (await FailAsync(1, "restore", _address, "--to", then, "--messages", "<no@such.example>")).ShouldContain("No message <no@such.example>");
        (await FailAsync(1, "restore", _address, "Archive", "--to", then, "--messages", $"<two@{_account}.example>")).ShouldContain("None of these messages was there");
    }

    [Fact]
    public async Task A_restore_that_was_killed_is_brought_to_its_end_by_the_next_and_nothing_comes_twice()
    {
        const int all = 45_056;
        await OpenAccountAsync();
        await AppendAsync("user", "INBOX", "one", @"\Seen");
        // 4,096 of them in INBOX, eleven times as many in Archive.
        for (var i = 0; i < 12; i++)
            await CopyAsync("INBOX");
        for (var i = 0; i < 11; i++)
            await CopyAsync("Archive");
        var then = Now();
        await InAsync("Archive", async open => (await node.Store.Mailboxes.RemoveAsync(open, All, As("user"), "A", default)).Rejection.ShouldBeNull());
        await using var connection = await node.Store.Log.DataSource.OpenConnectionAsync();
        using (var restore = node.Begin(["restore", _address, "Archive", "--to", then, "--moved"]))
        {
            for (var began = Stopwatch.GetTimestamp(); await CountAsync() == 0 && Stopwatch.GetElapsedTime(began) < Waiting.Limit;)
                await Task.Delay(5);
            // It waits here, in the middle, until it is killed.
            await using var hold = await connection.BeginTransactionAsync();
            await using (var mailbox = new NpgsqlCommand("select from public.mt_streams where tenant_id = $1 and id = $2 for update", connection, hold))
            {
                using var open = await OpenAsync("Archive");
                mailbox.Parameters.Add(new() { Value = _account });
                mailbox.Parameters.Add(new() { Value = open.Key.Id });
                await mailbox.ExecuteNonQueryAsync();
            }
            restore.Kill();
            await restore.WaitForExitAsync();
        }
        (await CountAsync()).ShouldBeInRange(1, all - 1);

        (await DoAsync("restore", _address, "Archive", "--to", then, "--moved")).ShouldContain("messages back");
        (await CountAsync()).ShouldBe(all);
        await InAsync("Archive", open =>
        {
            open.View.Unseen.ShouldBe(0);
            return Task.CompletedTask;
        });
        (await DoAsync("restore", _address, "--to", then, "--moved")).ShouldBe("nothing is missing");

        async Task CopyAsync(string to) => await InAsync("INBOX", async open =>
            (await node.Store.Mailboxes.CopyAsync(open, All, to, move: false, As("user"), "A", default)).Rejection.ShouldBeNull());

        async Task<int> CountAsync()
        {
            using var open = await OpenAsync("Archive");
            return open.View.Count;
        }
    }

    [Fact]
    public async Task A_closed_account_is_opened_again_with_all_that_it_had()
    {
        await OpenAccountAsync();
        await AppendAsync("user", "INBOX", "one", @"\Flagged");
        var then = Now();
        await DoAsync("account", "remove", _address);
        (await node.Store.Directory.FindAsync(_address, default)).ShouldBeNull();

        (await DoAsync("restore", _address, "--to", then, "--dry-run")).ShouldContain("INBOX: mailbox back with its UIDs");
        (await node.Store.Directory.FindAsync(_address, default)).ShouldBeNull();
        await DoAsync("restore", _address, "--to", then);
        (await node.Store.Directory.FindAsync(_address, default))!.Account.ShouldBe(_account);
        (await PictureAsync("INBOX")).ShouldBe(@"1 one \Flagged");
        await DoAsync("account", "password", _address, "--password", CliServer.Password);
    }

    [Fact]
    public async Task What_cannot_be_is_refused_with_what_to_do()
    {
        await OpenAccountAsync();
        (await FailAsync(1, "restore", _address, "--to", "2001-01-01")).ShouldContain("before the account");
        (await FailAsync(1, "restore", _address, "--to", "2901-01-01")).ShouldContain("future");
        (await FailAsync(1, "restore", _address, "Nowhere", "--to", Now())).ShouldContain("No such mailbox at");
        (await FailAsync(2, "restore", _address, "--to", "soon")).ShouldContain("is no time");
        (await FailAsync(2, "restore", _address)).ShouldContain("--to TIME or --session ID");
        (await FailAsync(2, "restore", _address, "--to", Now(), "--messages", "1")).ShouldContain("say which");
        (await FailAsync(2, "restore", _address, "--to", "1/2/2026")).ShouldContain("is no time");
        (await FailAsync(1, "restore", _address, "--to", "9999999d")).ShouldContain("before the account");
        (await FailAsync(2, "restore", _address, "INBOX", "--to", Now(), "--messages", "x")).ShouldContain("no UIDs");
        (await FailAsync(1, "restore", "nobody@restore.example", "--to", Now())).ShouldContain("no account");
        (await FailAsync(1, "restore", "--session", "none-such")).ShouldContain("No session none-such");
    }
}
