using System.Diagnostics;
using EventMail.Projections;
using EventMail.Projections.SearchText;
using Shouldly;

namespace EventMail.Protocols.Tests.Imap;

/// <summary>LIST and LIST-STATUS of many mailboxes come from memory.</summary>
public sealed class ListStatusTests(ImapFixture fixture) : IClassFixture<ImapFixture>
{
    private const int Mailboxes = 1000;

    [Fact]
    public async Task LIST_with_STATUS_of_1000_mailboxes_asks_the_database_nothing()
    {
        var account = await fixture.NewAccountAsync();
        for (var i = 0; i < Mailboxes; i++)
            (await fixture.Mail.Mailboxes.CreateAsync(account.Account, $"m{i / 100}/{i}", null, Actor.System, null, default)).IsOk.ShouldBeTrue();
        await using var client = await fixture.LogInAsync(account);
        // Who shares mailboxes with an account is asked once, until somebody shares one.
        foreach (var first in new[] { "SELECT INBOX", "LIST \"\" INBOX" })
        {
            await client.SendLineAsync($"a {first}");
            while (!(await client.ReadLineAsync())!.StartsWith("a OK", StringComparison.Ordinal))
            {
            }
        }

        // The index of texts has passed over what was made.
        await fixture.Mail.Log.Projections.WaitForAsync(SearchTextProjection.ProjectionName, default);
        var database = new Npgsql.NpgsqlConnectionStringBuilder(fixture.Mail.Database.ConnectionString).Database;
        var asked = new List<string>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == "Npgsql",
            Sample = (ref _) => ActivitySamplingResult.AllData,
            ActivityStopped = activity =>
            {
                var sql = $"{activity.DisplayName} {activity.GetTagItem("db.query.text")}";
                // The projections behind the log look from time to time how far it is.
                if (activity.Tags.Any(tag => tag.Value == database) && !sql.Contains("mt_events_sequence", StringComparison.Ordinal))
                    lock (asked)
                        asked.Add(sql);
            },
        };
        ActivitySource.AddActivityListener(listener);
        foreach (var (command, lines) in new[]
        {
            ("LIST \"\" * RETURN (STATUS (MESSAGES UNSEEN UIDNEXT SIZE))", 2 * (Mailboxes + 10 + 6)),
            ("LIST (SUBSCRIBED RECURSIVEMATCH) \"\" % RETURN (CHILDREN)", 0),
            ("LIST \"\" *", Mailboxes + 10 + 6),
        })
        {
            await client.SendLineAsync("b " + command);
            var answers = 0;
            while (!(await client.ReadLineAsync())!.StartsWith("b OK", StringComparison.Ordinal))
                answers++;
            answers.ShouldBe(lines, command);
        }

        lock (asked)
            asked.ShouldBeEmpty();
        // What is counted is really counted.
        await using (var command = fixture.Mail.Log.DataSource.CreateCommand("select 1"))
            await command.ExecuteScalarAsync();
        lock (asked)
            asked.ShouldNotBeEmpty();
    }
}
