using System.Net;
using EventMail.EventStore.Proof;
using EventMail.Projections.Accounts;
using EventMail.Projections.Erasing;
using EventMail.Projections.History.Index;
using EventMail.Testing;
using Npgsql;

namespace EventMail.Projections.Tests.Erasing;

public sealed class SubjectErasureTests : IAsyncLifetime
{
    private MarkedPerson _person = null!;

    private TestMail Mail => _person.Mail;

    public async Task InitializeAsync() => _person = await MarkedPerson.StartAsync();

    public async Task DisposeAsync() => await _person.DisposeAsync();

    [Fact]
    public async Task Nothing_in_the_database_says_who_somebody_was_that_is_erased_and_the_log_still_verifies()
    {
        await _person.LiveAsync();
        await _person.CloseAsync();
        await Mail.Log.Projections.WaitForAsync(HistoryIndexProjection.ProjectionName, default);
        (await _person.FoundAsync()).ShouldNotBeEmpty(); // the places that logins came from, and the lock-outs
        (await _person.FoundAsync("public")).ShouldBeEmpty();
        var told = await _person.TellAsync();
        told.ShouldContain(entry => entry.What.Contains(MarkedPerson.Friend) && entry.ClientIp == MarkedPerson.Place);
        told.ShouldContain(entry => entry.By == _person.Account.Address);

        await using (var connection = await Mail.Log.DataSource.OpenConnectionAsync())
        {
            await using var transaction = await connection.BeginTransactionAsync();
            (await new SubjectErasure(Mail.Log).EraseAsync(connection, transaction, _person.Account.Account, default)).ShouldNotBeNull();
            (await new SubjectErasure(Mail.Log).EraseStrangersAsync(connection, transaction, DateOnly.FromDateTime(DateTime.UtcNow), default)).ShouldNotBeNull();
            await transaction.CommitAsync();
        }
        await new ErasedHistory(Mail.Log).MakeAnewAsync(_person.Account.Account, default);
        await new ErasedHistory(Mail.Log).MakeStrangersAnewAsync(DateOnly.FromDateTime(DateTime.UtcNow), default);
        (await _person.FoundAsync()).ShouldBeEmpty();
        var after = await _person.TellAsync();
        after.Select(entry => entry.Type).ShouldBe(told.Select(entry => entry.Type));
        foreach (var marker in MarkedPerson.Markers)
            string.Join('\n', after.Select(entry => entry.ToString())).ShouldNotContain(marker);

        var faults = new List<ChainFault>();
        await new ChainVerifier(Mail.Log.DataSource, EventStreams.Kinds).VerifyAsync(new(), fault =>
        {
            faults.Add(fault);
            return Task.CompletedTask;
        }, _ => { }, default);
        faults.ShouldBeEmpty();

        await Mail.Log.Projections.WaitForAsync(HistoryIndexProjection.ProjectionName, default);
        (await _person.DriftsAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task Where_somebody_is_again_who_was_erased_is_indexed_again()
    {
        await LogInAsync();
        (await ClientsAsync()).ShouldBe(1);
        var erasures = Mail.Log.Subjects.Erasures;
        await using (var connection = await Mail.Log.DataSource.OpenConnectionAsync())
        {
            await using var transaction = await connection.BeginTransactionAsync();
            await new SubjectErasure(Mail.Log).EraseAsync(connection, transaction, _person.Account.Account, default);
            await transaction.CommitAsync();
        }
        await new ErasedHistory(Mail.Log).MakeAnewAsync(_person.Account.Account, default);
        (await ClientsAsync()).ShouldBe(0);
        await Waiting.UntilAsync(() => Mail.Log.Subjects.Erasures != erasures);

        await LogInAsync();
        (await ClientsAsync()).ShouldBe(1);

        async Task LogInAsync()
        {
            var login = new LoginContext(IPAddress.Parse(MarkedPerson.Place), "imap", "s", "PLAIN", true, MarkedPerson.Session("imap", null).HeadersJson);
            (await Mail.Authenticator.PasswordAsync(_person.Account.Address, "SecurePass123"u8.ToArray(), login, default)).Status.ShouldBe(LoginStatus.Ok);
            await Mail.Log.Projections.WaitForAsync(HistoryIndexProjection.ProjectionName, default);
        }
    }

    // Rows of the place in the person's own log, which the index names by a key.
    private async Task<long> ClientsAsync()
    {
        await using var connection = await Mail.Log.DataSource.OpenConnectionAsync();
        await using var command = new NpgsqlCommand($"select count(*) from {HistoryTables.Clients} where account = $1 and client = $2", connection)
        {
            Parameters =
            {
                new() { Value = (await HistoryKey.ReadAsync(connection, default)).Account(_person.Account.Account) },
                new() { Value = IPAddress.Parse(MarkedPerson.Place) },
            },
        };
        return (long)(await command.ExecuteScalarAsync())!;
    }
}
