using System.Security.Cryptography;
using System.Text;
using EventMail.Projections;
using EventMail.Projections.Accounts;
using EventMail.Protocols.Imap;
using EventMail.Testing;
using EventMail.Testing.Transcripts;

namespace EventMail.Protocols.Tests.Imap;

/// <summary>RFC 5530 §3 from its first code to its last: when each of them is sent.</summary>
public sealed class ResponseCodeTests(ImapFixture fixture) : IClassFixture<ImapFixture>
{
    // docs/protocols/imap.md says why.
    private const string NeverSent = "INUSE";

    private static readonly (string Code, Func<ImapFixture, Task<string?>> Reply)[] Situations =
    [
        ("UNAVAILABLE", DatabaseAwayAsync),
        ("AUTHENTICATIONFAILED", fixture => AskedAsync(fixture.Open(), "a LOGIN nobody@example.test wrong")),
        ("AUTHORIZATIONFAILED", ActingForAnotherAsync),
        ("EXPIRED", ExpiredTokenAsync),
        ("PRIVACYREQUIRED", fixture => AskedAsync(fixture.Open("starttls"), $"a LOGIN somebody@example.test {TestMail.Password}")),
        ("CONTACTADMIN", SuspendedAsync),
        ("NOPERM", fixture => AnsweredAsync(fixture, "a SETQUOTA \"\" (STORAGE 1)")),
        ("EXPUNGEISSUED", ExpungedByOthersAsync),
        ("CORRUPTION", ContentMissingAsync),
        ("SERVERBUG", BugAsync),
        ("CLIENTBUG", fixture => AnsweredAsync(fixture, "s SELECT INBOX", "a STATUS INBOX (MESSAGES)")),
        ("CANNOT", fixture => AnsweredAsync(fixture, "a CREATE \"///////\"")),
        ("LIMIT", fixture => AnsweredAsync(fixture, $"a APPEND INBOX ({string.Join(' ', Enumerable.Range(0, 250).Select(i => $"f{i}"))}) {{1+}}\r\nx")),
        ("OVERQUOTA", OverQuotaAsync),
        ("ALREADYEXISTS", fixture => AnsweredAsync(fixture, "b CREATE this", "c CREATE that", "a RENAME this that")),
        ("NONEXISTENT", fixture => AnsweredAsync(fixture, "a RENAME this that")),
    ];

    public static TheoryData<string> Codes => [.. Situations.Select(situation => situation.Code)];

    [Theory]
    [MemberData(nameof(Codes))]
    public async Task Each_code_is_sent_in_its_situation(string code)
    {
        var situation = Situations.Single(situation => situation.Code == code);
        (await situation.Reply(fixture))!.ShouldMatch($@"^a (OK|NO) \[{code}\] \S");
    }

    [Fact]
    public void No_code_of_the_RFC_is_left_out() =>
        Situations.Select(situation => situation.Code).Append(NeverSent).Order(StringComparer.Ordinal).ShouldBe(
        [
            "ALREADYEXISTS", "AUTHENTICATIONFAILED", "AUTHORIZATIONFAILED", "CANNOT", "CLIENTBUG", "CONTACTADMIN", "CORRUPTION", "EXPIRED",
            "EXPUNGEISSUED", "INUSE", "LIMIT", "NONEXISTENT", "NOPERM", "OVERQUOTA", "PRIVACYREQUIRED", "SERVERBUG", "UNAVAILABLE",
        ]);

    [Fact]
    public async Task A_mailbox_that_another_session_has_selected_may_be_deleted_all_the_same()
    {
        var account = await fixture.NewAccountAsync();
        await using var other = await fixture.LogInAsync(account);
        await LastAsync(other, "a CREATE Work", "b SELECT Work");
        await using var client = await fixture.LogInAsync(account);
        (await LastAsync(client, "a DELETE Work")).ShouldBe("a OK DELETE completed");
        (await other.AskAsync("c NOOP")).ShouldBe("* BYE Selected mailbox was deleted");
    }

    private static async Task<string?> DatabaseAwayAsync(ImapFixture fixture)
    {
        await using var mail = await TestMail.StartAsync();
        await using var client = await fixture.LogInAsync(await mail.NewAccountAsync(), fixture.ServicesWith(new(), mail: mail));
        await mail.Database.GoAwayAsync();
        var reply = await LastAsync(client, "a APPEND Elsewhere/There {1+}\r\nx");
        await mail.Database.ComeBackAsync();
        return reply;
    }

    private static async Task<string?> ActingForAnotherAsync(ImapFixture fixture)
    {
        var (account, other) = (await fixture.NewAccountAsync(), await fixture.NewAccountAsync());
        var message = Convert.ToBase64String(Encoding.UTF8.GetBytes($"{other.Address}\0{account.Address}\0{TestMail.Password}"));
        return await AskedAsync(fixture.Open(), $"a AUTHENTICATE PLAIN {message}");
    }

    private static async Task<string?> ExpiredTokenAsync(ImapFixture fixture)
    {
        var account = await fixture.NewAccountAsync();
        var keys = Path.GetTempFileName();
        await File.WriteAllTextAsync(keys, TestIssuer.Jwks());
        var services = fixture.Services;
        var options = new AuthenticatorOptions { OAuth = new() { Issuer = TestIssuer.Issuer, Audience = "mail-server", Keys = keys } };
        await using var client = new ScriptedClient(fixture.Open(services: With(services, fixture.Mail.NewAuthenticator(options))).Client);
        await client.ReadLineAsync();
        var token = TestIssuer.Token("RS256", "r1", TestIssuer.Claims(account.Address, expires: -120));
        await client.AskAsync($"a AUTHENTICATE OAUTHBEARER {Convert.ToBase64String(Encoding.UTF8.GetBytes($"n,,\u0001auth=Bearer {token}\u0001\u0001"))}");
        var reply = await client.AskAsync("AQ==");
        File.Delete(keys);
        return reply;
    }

    private static async Task<string?> SuspendedAsync(ImapFixture fixture)
    {
        var account = await fixture.NewAccountAsync();
        await fixture.Mail.Accounts.SuspendAsync(account.Address, null, Actor.System, default);
        return await AskedAsync(fixture.Open(), $"a LOGIN {account.Address} {TestMail.Password}");
    }

    private static async Task<string?> ExpungedByOthersAsync(ImapFixture fixture)
    {
        var account = await fixture.NewAccountAsync();
        await using var client = await fixture.LogInAsync(account);
        await LastAsync(client, "b APPEND INBOX (\\Deleted) {1+}\r\nx", "c SELECT INBOX");
        await using var other = await fixture.LogInAsync(account);
        await LastAsync(other, "b SELECT INBOX", "c EXPUNGE");
        return await LastAsync(client, "a SEARCH ALL");
    }

    private static async Task<string?> ContentMissingAsync(ImapFixture fixture)
    {
        await using var mail = await TestMail.StartAsync();
        await using var client = await fixture.LogInAsync(await mail.NewAccountAsync(), fixture.ServicesWith(new(), mail: mail));
        // So large that it is a file.
        var message = Convert.ToHexString(RandomNumberGenerator.GetBytes(100_000));
        await LastAsync(client, $"b APPEND INBOX {{{message.Length}+}}\r\n{message}", "c SELECT INBOX");
        foreach (var path in System.IO.Directory.GetFiles(mail.Folder, "*", SearchOption.AllDirectories))
            File.Delete(path);
        return await LastAsync(client, "a FETCH 1 BODY.PEEK[]");
    }

    private static async Task<string?> BugAsync(ImapFixture fixture)
    {
        await using var client = await fixture.LogInAsync(await fixture.NewAccountAsync(), With(fixture.Services, fixture.Services.Authenticator));
        return await LastAsync(client, "a GETMETADATA INBOX /private/comment");
    }

    private static async Task<string?> OverQuotaAsync(ImapFixture fixture)
    {
        await using var client = await fixture.LogInAsync(await fixture.Mail.NewAccountAsync(quota: 10));
        return await LastAsync(client, "a APPEND INBOX {11+}\r\n12345678901");
    }

    // Somebody forgot the metadata.
    private static ImapServices With(ImapServices services, Authenticator authenticator) => new()
    {
        Mailboxes = services.Mailboxes,
        Metadata = null!,
        Directory = services.Directory,
        Accounts = services.Accounts,
        Summaries = services.Summaries,
        Contents = services.Contents,
        Authenticator = authenticator,
        Log = services.Log,
    };

    private static async Task<string?> AskedAsync(ImapConnection connection, string command)
    {
        await using var client = new ScriptedClient(connection.Client);
        await client.ReadLineAsync();
        return await client.AskAsync(command);
    }

    private static async Task<string?> AnsweredAsync(ImapFixture fixture, params string[] commands)
    {
        await using var client = await fixture.LogInAsync(await fixture.NewAccountAsync());
        return await LastAsync(client, commands);
    }

    /// <summary>The last command's tagged reply.</summary>
    private static async Task<string?> LastAsync(ScriptedClient client, params string[] commands)
    {
        string? line = null;
        foreach (var command in commands)
        {
            await client.SendAsync(Encoding.Latin1.GetBytes(command + "\r\n"));
            do
            {
                line = await client.ReadLineAsync();
            }
            while (line is not null && !line.StartsWith(command[..2], StringComparison.Ordinal));
        }

        return line;
    }
}
