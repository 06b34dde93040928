using System.Net;
using System.Text;
using EventMail.Domain.Deliveries;
using EventMail.Domain.Reception;
using EventMail.EventStore;
using EventMail.EventStore.Proof;
using EventMail.Projections.Accounts;
using EventMail.Projections.Deliveries;
using EventMail.Projections.Erasing;
using EventMail.Projections.History;
using EventMail.Projections.History.Index;
using EventMail.Projections.Mailboxes;
using EventMail.Projections.Reception;
using EventMail.Projections.Tests.Deliveries;
using EventMail.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace EventMail.Projections.Tests.Erasing;

public sealed class SubjectErasureTests : IAsyncLifetime
{
    private const string Person = "marker-person";
    private const string Friend = "marker-friend@far.example";
    private const string Place = "203.0.113.222";

    // Made of messages (here of the bounce): it goes when they are erased.
    private static readonly string[] OfContents = ["projections.message_summary", "projections.message_preview", "projections.search_text"];

    private static readonly string[] Markers = [Person, "marker-friend", Place, "marker-helo"];

    private DeliveryFixture _deliveries = null!;
    private AccountEntry _account = null!;

    private TestMail Mail => _deliveries.Mail;

    public async Task InitializeAsync()
    {
        _deliveries = await DeliveryFixture.StartAsync();
        var opened = await Mail.Accounts.AddAsync($"{Person}@example.test", "SecurePass123", null, Session("cli", null), default);
        _account = opened.Value!.Account;
    }

    public async Task DisposeAsync() => await _deliveries.DisposeAsync();

    private static Actor Session(string protocol, AccountEntry? account) =>
        Actor.ForSession(protocol, new(IPAddress.Parse(Place), 2525), "c", "s", "node") with { UserName = account?.Address, Account = account?.Account };

    [Fact]
    public async Task Nothing_in_the_database_says_who_somebody_was_that_is_erased_and_the_log_still_verifies()
    {
        await LiveAsync();
        (await Mail.Accounts.CloseAsync(_account.Address, Session("cli", null), default)).Rejection.ShouldBeNull();
        await Mail.Log.Projections.WaitForAsync(HistoryIndexProjection.ProjectionName, default);
        (await FoundAsync()).ShouldNotBeEmpty(); // the places that logins came from, and the lock-outs
        (await FoundAsync("public")).ShouldBeEmpty();
        var told = await TellAsync();
        told.ShouldContain(entry => entry.What.Contains(Friend) && entry.ClientIp == Place);
        told.ShouldContain(entry => entry.By == _account.Address);

        await using (var connection = await Mail.Log.DataSource.OpenConnectionAsync())
        {
            await using var transaction = await connection.BeginTransactionAsync();
            (await new SubjectErasure(Mail.Log).EraseAsync(connection, transaction, _account.Account, default)).ShouldNotBeNull();
            (await new SubjectErasure(Mail.Log).EraseStrangersAsync(connection, transaction, DateOnly.FromDateTime(DateTime.UtcNow), default)).ShouldNotBeNull();
            await transaction.CommitAsync();
        }
        await new ErasedHistory(Mail.Log).MakeAnewAsync(_account.Account, default);
        await new ErasedHistory(Mail.Log).MakeStrangersAnewAsync(DateOnly.FromDateTime(DateTime.UtcNow), default);
        (await FoundAsync()).ShouldBeEmpty();
        var after = await TellAsync();
        after.Select(entry => entry.Type).ShouldBe(told.Select(entry => entry.Type));
        foreach (var marker in Markers)
            string.Join('\n', after.Select(entry => entry.ToString())).ShouldNotContain(marker);

        var faults = new List<ChainFault>();
        await new ChainVerifier(Mail.Log.DataSource, EventStreams.Kinds).VerifyAsync(new(), fault =>
        {
            faults.Add(fault);
            return Task.CompletedTask;
        }, _ => { }, default);
        faults.ShouldBeEmpty();

        await Mail.Log.Projections.WaitForAsync(HistoryIndexProjection.ProjectionName, default);
        (await DriftsAsync()).ShouldBeEmpty();
    }

    // Between the tables and a fold of the log as it can be read now.
    private async Task<IEnumerable<RowDrift>> DriftsAsync()
    {
        var models = ReadModels.All(NullLoggerFactory.Instance);
        foreach (var follower in models.OfType<IAsyncProjection>())
            follower.Join(Mail.Log);
        var generations = new Generations(new()
        {
            ConnectionString = Mail.Database.ConnectionString,
            Types = Mail.Log.Types,
            DataFolder = "",
            Keys = Mail.Database.Keys,
            Kinds = ReadModels.Kinds,
            Models = models,
        });
        return (await generations.VerifyAsync([], _ => Task.CompletedTask, default)).SelectMany(model => model.Drifts);
    }

    private async Task<List<HistoryEntry>> TellAsync() => await Mail.History.ReadAsync(new(), default).ToListAsync();

    // Every row of every table, as text; octets as they are written there, in hex.
    private async Task<List<string>> FoundAsync(string? schema = null)
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
        foreach (var table in tables.Except(OfContents).Where(table => schema is null || table.StartsWith(schema + ".", StringComparison.Ordinal)))
        {
            await using var command = Mail.Database.DataSource.CreateCommand($"select t::text from {table} t where t::text ilike any($1)");
            command.Parameters.Add(new() { Value = patterns });
            await using var row = await command.ExecuteReaderAsync();
            while (await row.ReadAsync())
                found.Add($"{table}: {row.GetString(0)}");
        }
        return found;
    }

    // All that leaves an address somewhere.
    private async Task LiveAsync()
    {
        var login = new LoginContext(IPAddress.Parse(Place), "imap", "s", "PLAIN", true, Session("imap", null).HeadersJson);
        (await Mail.Authenticator.PasswordAsync(_account.Address, "SecurePass123"u8.ToArray(), login, default)).Status.ShouldBe(LoginStatus.Ok);
        var strict = Mail.NewAuthenticator(new() { Throttle = new() { AddressFailures = 3, AccountFailures = 2, FirstDelay = TimeSpan.Zero } });
        for (var i = 0; i < 4; i++)
            foreach (var name in (string[])[_account.Address, $"{Person}-unknown@example.test"])
                await strict.PasswordAsync(name, "wrong"u8.ToArray(), login, default);

        await using (var message = IncomingMessage.Begin(Mail.Log.Contents))
        {
            await message.WriteAsync("Subject: x\r\n\r\nx\r\n"u8.ToArray(), default);
            (await Mail.Mailboxes.ReceiveAsync(
                [new LocalRecipient(_account.Account, _account.Address, _account.Address)], await message.CompleteAsync(false, default), Friend, $"1.{Friend}",
                QuotaRule.EveryoneFits, Session("smtp", null), "1", default)).Rejection.ShouldBeNull();
        }
        await new RefusedMail(Mail.Log).NoteAsync(
            [new(_account.Account, _account.Address, _account.Address)],
            new MessageRefused(Friend, "", $"2.{Friend}", 0, "milter", $"550 5.7.1 <{_account.Address}> No", new(Place, "marker-helo")), Session("smtp", null), "1", default);
        (await Mail.Accounts.GrantSendAsAsync(_account.Address, Friend, Session("cli", null), default)).Rejection.ShouldBeNull();
        (await Mail.Accounts.IssueAppPasswordAsync(_account.Address, $"{Person}'s phone", Session("cli", null), default)).Rejection.ShouldBeNull();
        (await _deliveries.Queue.SubmitAsync(
            _deliveries.Submission(Friend) with { Account = _account.Account, Sender = _account.Address }, await _deliveries.ContentAsync(), [], QuotaRule.EveryoneFits,
            Session("submission", _account), "1", default)).Rejection.ShouldBeNull();
        await _deliveries.AttemptAsync(OutcomeKind.Failed, 550, "5.1.1", $"<{Friend}> is unknown");
    }
}
