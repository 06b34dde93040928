using System.Text.Json;
using EventMail.Host.Cli;
using EventMail.Projections.History;

namespace EventMail.Host.Tests.Cli;

public sealed class HistoryCommandTests(CliServer cli) : IClassFixture<CliServer>
{
    private static readonly HistoryEntry Entry = new(
        7, DateTimeOffset.UnixEpoch, "message_received", "joe@example.org", "INBOX", "received \"this\", from <a@b.example>", "=cmd()", "smtp", "192.0.2.1", "s", null,
        Guid.Empty, 3);

    [Fact]
    public async Task The_log_is_told_in_lines_in_json_and_in_csv()
    {
        await cli.DoAsync("account", "add", "told@one.example", "--password", CliServer.Password);
        (await cli.DoAsync("history", "told@one.example")).Split('\n')[0].ShouldContain("account told@one.example opened");

        var lines = (await cli.DoAsync("history", "told@one.example", "--format", "json", "--type", "mailbox_created,account_opened")).Split('\n');
        lines.Select(line => JsonDocument.Parse(line).RootElement.GetProperty("type").GetString()).Distinct().ShouldBe(["account_opened", "mailbox_created"]);
        JsonDocument.Parse(lines[0]).RootElement.GetProperty("account").GetString().ShouldBe("told@one.example");

        var csv = (await cli.DoAsync("history", "--address", "told@one.example", "--type", "account_opened", "--format", "csv")).TrimEnd('\r').Split("\r\n");
        csv[0].ShouldBe("sequence,time,type,account,mailbox,what,by,protocol,client_ip,session,cause,stream,version");
        csv.Length.ShouldBe(2);
        csv[1].ShouldContain(",account_opened,told@one.example,");
    }

    [Fact]
    public async Task A_page_ends_where_it_says_and_the_next_one_goes_on_there()
    {
        await cli.DoAsync("account", "add", "paged@one.example", "--password", CliServer.Password);
        var all = (await cli.DoAsync("history", "paged@one.example")).Split('\n');
        var page = await cli.Server.RunAsync(["history", "paged@one.example", "--limit", "2"]);
        page.Output.TrimEnd('\n').Split('\n').ShouldBe(all.Take(2));
        var after = page.Error.TrimEnd('\n').Split('\n')[^1].Split(' ')[^1];
        (await cli.DoAsync("history", "paged@one.example", "--after", after)).Split('\n').ShouldBe(all.Skip(2));
    }

    [Theory]
    [InlineData(1, "m@nowhere.example", "history", "--message", "m@nowhere.example")]
    [InlineData(1, "session none", "history", "--session", "none")]
    [InlineData(1, "Nowhere", "history", "postmaster@localhost", "Nowhere")]
    [InlineData(1, "account list", "history", "nobody@nowhere.example")]
    [InlineData(2, "2001:db8::/64", "history", "--client", "300.1.2.3")]
    [InlineData(2, "192.0.2.0/24", "history", "--client", "192.0.2.0/33")]
    [InlineData(2, "message_received", "history", "--type", "message_recieved")]
    [InlineData(2, "--since", "history", "--since", "2026-02-01", "--until", "2026-01-01")]
    [InlineData(2, "empty", "history", "--address", "")]
    [InlineData(2, "empty", "history", "--protocol", "")]
    [InlineData(2, "no position", "history", "--after", "-1")]
    public async Task What_is_not_there_is_named(int exitCode, string says, params string[] arguments)
    {
        if (arguments.Contains("postmaster@localhost"))
        {
            await cli.DoAsync("account", "add", "named@one.example", "--password", CliServer.Password);
            arguments = [.. arguments.Select(word => word == "postmaster@localhost" ? "named@one.example" : word)];
        }
        (await cli.FailAsync(exitCode, arguments)).ShouldContain(says);
    }

    [Fact]
    public void A_field_of_csv_is_quoted_and_no_formula() => HistoryOutput.Csv.LineOf(Entry).ShouldBe(
        "7,1970-01-01T00:00:00.0000000Z,message_received,joe@example.org,INBOX,\"received \"\"this\"\", from <a@b.example>\",'=cmd(),smtp,192.0.2.1,s,,"
        + "00000000-0000-0000-0000-000000000000,3");

    [Fact]
    public void A_line_says_whose_it_is_where_more_than_one_account_is_asked_for()
    {
        HistoryOutput.Text.LineOf(Entry, whose: true).ShouldStartWith("1970-01-01 00:00:00.000Z  joe@example.org INBOX: received");
        HistoryOutput.Text.LineOf(Entry with { What = "a\nb\u001b[2J" }, whose: false).ShouldStartWith("1970-01-01 00:00:00.000Z  INBOX: a\\x0ab\\x1b[2J  [by =cmd(), smtp from 192.0.2.1, session s]");
    }
}
