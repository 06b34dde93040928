using System.Text;
using EventMail.Domain.Mailboxes;
using EventMail.EventStore;
using EventMail.Projections.Accounts;
using EventMail.Projections.Mailboxes;
using EventMail.Projections.Tests.Deliveries;
using EventMail.Testing;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace EventMail.Projections.Tests.Building;

/// <summary>Accounts whose mailboxes are worked on in every way, and the read models' generations beside them.</summary>
internal sealed class BusyMail : IAsyncDisposable
{
    private readonly DeliveryFixture _deliveries;
    private readonly List<AccountEntry> _accounts = [];

    private BusyMail(DeliveryFixture deliveries) => _deliveries = deliveries;

    public TestMail Mail => _deliveries.Mail;

    public static async Task<BusyMail> StartAsync(int accounts = 3)
    {
        var busy = new BusyMail(await DeliveryFixture.StartAsync());
        for (var i = 0; i < accounts; i++)
            busy._accounts.Add(await busy.Mail.NewAccountAsync());
        return busy;
    }

    /// <summary>Some of everything.</summary>
    /// <param name="except">An account whose mailboxes are left alone.</param>
    public async Task WorkAsync(int rounds, int seed, string? except = null)
    {
        var accounts = _accounts.FindAll(a => a.Account != except);
        var random = new Random(seed);
        for (var round = 0; round < rounds; round++)
        {
            var account = accounts[random.Next(accounts.Count)].Account;
            var name = $"box {seed} {round}";
            (await Mail.Mailboxes.CreateAsync(account, name, null, Actor.System, null, default)).Rejection.ShouldBeNull();
            for (var i = 0; i < 3; i++)
                await AppendAsync(account, i == 0 ? name : "INBOX", $"message {seed} {round} {i}");
            await _deliveries.SubmitAsync($"joe@{round}.example", $"ann@{round}.example", "tom@elsewhere.example");
            using (var inbox = (await Mail.Mailboxes.OpenAsync(account, "INBOX", default)).Value!)
            {
                var some = UidSet.Of(inbox.View[random.Next(inbox.View.Count)].Uid);
                await Mail.Mailboxes.StoreAsync(inbox, some, StoreMode.Add, ["\\Seen", "work"], null, Actor.System, null, default);
                if (round % 2 == 0)
                    await Mail.Mailboxes.RemoveAsync(inbox, some, Actor.System, null, default);
            }
            if (round % 3 == 0)
                (await Mail.Mailboxes.DeleteAsync(account, name, Actor.System, null, default)).Rejection.ShouldBeNull();
        }
    }

    public async Task AppendAsync(string account, string mailbox, string subject)
    {
        await using var message = IncomingMessage.Begin(Mail.Log.Contents);
        await message.WriteAsync(Encoding.UTF8.GetBytes($"Subject: {subject}\r\n\r\nBody\r\n"), default);
        (await Mail.Mailboxes.AppendAsync(
            account, mailbox, await message.CompleteAsync(false, default), [], DateTimeOffset.UnixEpoch, Actor.System, null, default)).Rejection.ShouldBeNull();
    }

    public Generations Generations(Func<GenerationOptions, GenerationOptions>? with = null, IReadOnlyList<IReadModel>? models = null) =>
        TestGenerations.Of(Mail, with, models);

    /// <summary>What a verification of all read models finds.</summary>
    public async Task<IReadOnlyList<RowDrift>> DriftsAsync(Func<GenerationOptions, GenerationOptions>? with = null)
    {
        var verified = await Generations(with).VerifyAsync([], _ => Task.CompletedTask, default);
        verified.Select(m => m.Name).ShouldBe(
            ReadModels.All(NullLoggerFactory.Instance).Where(m => m is { Source: ReadModelSource.Log, Tables.Count: > 0 }).Select(m => m.Name), ignoreOrder: true);
        return [.. verified.SelectMany(m => m.Drifts)];
    }

    /// <summary>What the tables of one schema say, without what does not follow from the log.</summary>
    public async Task<Dictionary<string, string>> TablesAsync(string schema)
    {
        var tables = new Dictionary<string, string>();
        foreach (var table in ReadModelTables.Derived)
            tables[table] = await ScalarAsync<string>(
                $"select coalesce(string_agg({ReadModelTables.RowOf(table)}::text, E'\\n' order by {ReadModelTables.RowOf(table)}::text), '') from {schema}.{table} t");
        return tables;
    }

    public async Task<T> ScalarAsync<T>(string sql)
    {
        await using var command = Mail.Database.DataSource.CreateCommand(sql);
        return (T)(await command.ExecuteScalarAsync())!;
    }

    public async Task RunAsync(string sql)
    {
        await using var command = Mail.Database.DataSource.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>The program ends; its database stays.</summary>
    public Task StopAsync() => Mail.StopAsync();

    public ValueTask DisposeAsync() => _deliveries.DisposeAsync();
}
