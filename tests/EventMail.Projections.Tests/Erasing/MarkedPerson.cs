using System.Net;
using System.Text;
using EventMail.Domain.Deliveries;
using EventMail.Domain.Reception;
using EventMail.EventStore;
using EventMail.Projections.Accounts;
using EventMail.Projections.Deliveries;
using EventMail.Projections.History;
using EventMail.Projections.Mailboxes;
using EventMail.Projections.Reception;
using EventMail.Projections.Tests.Building;
using EventMail.Projections.Tests.Deliveries;
using EventMail.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace EventMail.Projections.Tests.Erasing;

/// <summary>Somebody whose address, friend and places can be looked for in every table, and who has done all that leaves them somewhere.</summary>
internal sealed class MarkedPerson : IAsyncDisposable
{
    public const string Friend = "marker-friend@far.example";
    public const string Place = "203.0.113.222";
    private const string Person = "marker-person";

    // Made of messages (here of the bounce): it goes when they are erased.
    private static readonly string[] OfContents = ["message_summary", "message_preview", "search_text"];

    private readonly DeliveryFixture _deliveries;

    private MarkedPerson(DeliveryFixture deliveries, AccountEntry account) => (_deliveries, Account) = (deliveries, account);

    public static IReadOnlyList<string> Markers { get; } = [Person, "marker-friend", Place, "marker-helo"];

    public AccountEntry Account { get; }

    public TestMail Mail => _deliveries.Mail;

    public static async Task<MarkedPerson> StartAsync()
    {
        var deliveries = await DeliveryFixture.StartAsync();
        var opened = await deliveries.Mail.Accounts.AddAsync($"{Person}@example.test", "SecurePass123", null, Session("cli", null), default);
        return new(deliveries, opened.Value!.Account);
    }

    public ValueTask DisposeAsync() => _deliveries.DisposeAsync();

    public static Actor Session(string protocol, AccountEntry? account) =>
        Actor.ForSession(protocol, new(IPAddress.Parse(Place), 2525), "c", "s", "node") with { UserName = account?.Address, Account = account?.Account };

    public async Task CloseAsync() => (await Mail.Accounts.CloseAsync(Account.Address, Session("cli", null), default)).Rejection.ShouldBeNull();

    public async Task<List<HistoryEntry>> TellAsync() => await Mail.History.ReadAsync(new(), default).ToListAsync();

    public Generations Generations(Func<GenerationOptions, GenerationOptions>? with = null) => TestGenerations.Of(Mail, with);

    /// <summary>Between the tables and a fold of the log as it can be read now.</summary>
    public async Task<List<RowDrift>> DriftsAsync() =>
        [.. (await Generations().VerifyAsync([], _ => Task.CompletedTask, default)).SelectMany(model => model.Drifts)];

    /// <summary>Every row of every table with a marker, as text; octets as they are written there, in hex.</summary>
    public async Task<List<string>> FoundAsync(string? schema = null)
    {
        var tables = new List<string>();
        await using (var command = Mail.Database.DataSource.CreateCommand("""
            select format('%I.%I', relnamespace::regnamespace::text, relname) from pg_class
            where relkind = 'r' and relnamespace::regnamespace::text not in ('pg_catalog', 'information_schema')
            """))
        await using (var row = await command.ExecuteReaderAsync())
            while (await row.ReadAsync())
                tables.Add(row.GetString(0));
        tables.ShouldContain("public.mt_events");
        string[] patterns = [.. Markers.Concat(Markers.Select(marker => Convert.ToHexStringLower(Encoding.UTF8.GetBytes(marker)))).Select(marker => $"%{marker}%")];
        var found = new List<string>();
        foreach (var table in tables.Where(table => !OfContents.Contains(table[(table.IndexOf('.') + 1)..])).Where(table => schema is null || table.StartsWith(schema + ".", StringComparison.Ordinal)))
        {
            await using var command = Mail.Database.DataSource.CreateCommand($"select t::text from {table} t where t::text ilike any($1)");
            command.Parameters.Add(new() { Value = patterns });
            await using var row = await command.ExecuteReaderAsync();
            while (await row.ReadAsync())
                found.Add($"{table}: {row.GetString(0)}");
        }
        return found;
    }

    /// <summary>All that leaves an address somewhere.</summary>
    public async Task LiveAsync()
    {
        var login = new LoginContext(IPAddress.Parse(Place), "imap", "s", "PLAIN", true, Session("imap", null).HeadersJson);
        (await Mail.Authenticator.PasswordAsync(Account.Address, "SecurePass123"u8.ToArray(), login, default)).Status.ShouldBe(LoginStatus.Ok);
        var strict = Mail.NewAuthenticator(new() { Throttle = new() { AddressFailures = 3, AccountFailures = 2, FirstDelay = TimeSpan.Zero } });
        for (var i = 0; i < 4; i++)
            foreach (var name in (string[])[Account.Address, $"{Person}-unknown@example.test"])
                await strict.PasswordAsync(name, "wrong"u8.ToArray(), login, default);

        await using (var message = IncomingMessage.Begin(Mail.Log.Contents))
        {
            await message.WriteAsync("Subject: x\r\n\r\nx\r\n"u8.ToArray(), default);
            (await Mail.Mailboxes.Arrivals.ReceiveAsync(
                [new LocalRecipient(Account.Account, Account.Address, Account.Address)], await message.CompleteAsync(false, default), Friend, $"1.{Friend}",
                QuotaRule.EveryoneFits, Session("smtp", null), "1", default)).Rejection.ShouldBeNull();
        }
        await new RefusedMail(Mail.Log).NoteAsync(
            [new(Account.Account, Account.Address, Account.Address)],
            new MessageRefused(Friend, "", $"2.{Friend}", 0, "milter", $"550 5.7.1 <{Account.Address}> No", new(Place, "marker-helo")), Session("smtp", null), "1", default);
        (await Mail.Accounts.GrantSendAsAsync(Account.Address, Friend, Session("cli", null), default)).Rejection.ShouldBeNull();
        (await Mail.Accounts.IssueAppPasswordAsync(Account.Address, $"{Person}'s phone", Session("cli", null), default)).Rejection.ShouldBeNull();
        (await _deliveries.Queue.SubmitAsync(
            _deliveries.Submission(Friend) with { Account = Account.Account, Sender = Account.Address }, await _deliveries.ContentAsync(), [], QuotaRule.EveryoneFits,
            Session("submission", Account), "1", default)).Rejection.ShouldBeNull();
        await _deliveries.AttemptAsync(OutcomeKind.Failed, 550, "5.1.1", $"<{Friend}> is unknown");
    }
}
