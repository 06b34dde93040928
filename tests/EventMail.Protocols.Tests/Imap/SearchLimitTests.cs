using EventMail.Protocols.Imap;
using EventMail.Testing.Transcripts;

namespace EventMail.Protocols.Tests.Imap;

/// <summary>What bounds SEARCH, SORT, THREAD, ESEARCH and LIST: what is within a limit is done, one more is refused and changes nothing.</summary>
public sealed class SearchLimitTests(ImapFixture fixture) : IClassFixture<ImapFixture>
{
    private static readonly ImapLimits Limits = new()
    {
        MaxSearchDepth = 4,
        MaxSearchKeys = 6,
        MaxSearchTextKeys = 2,
        MaxSortCriteria = 2,
        MaxFilterDepth = 2,
        MaxSearchMailboxes = 2,
        MaxListPatterns = 2,
        MaxMetadataEntries = 3,
    };

    [Theory]
    [InlineData("SEARCH NOT NOT NOT ALL", "SEARCH NOT NOT NOT NOT ALL")]
    [InlineData("SEARCH (((ALL)))", "SEARCH ((((ALL))))")]
    [InlineData("SEARCH OR NOT FUZZY ALL SEEN", "SEARCH OR NOT FUZZY NOT ALL SEEN")]
    [InlineData("SEARCH 1 1 1 1 1 1", "SEARCH 1 1 1 1 1 1 1")]
    [InlineData("SEARCH SUBJECT a BODY b", "SEARCH SUBJECT a BODY b HEADER x c")]
    [InlineData("UID SORT (SIZE) UTF-8 ALL ALL ALL ALL ALL ALL", "UID SORT (SIZE) UTF-8 ALL ALL ALL ALL ALL ALL ALL")]
    [InlineData("SORT (SIZE DATE) UTF-8 ALL", "SORT (SIZE DATE SIZE) UTF-8 ALL")]
    [InlineData("SORT (REVERSE SIZE REVERSE DATE) UTF-8 ALL", "SORT (REVERSE SIZE REVERSE DATE REVERSE CC) UTF-8 ALL")]
    [InlineData("THREAD REFS UTF-8 NOT NOT NOT ALL", "THREAD REFS UTF-8 NOT NOT NOT NOT ALL")]
    [InlineData("ESEARCH IN (selected) TO a CC b", "ESEARCH IN (selected) TO a CC b BCC c")]
    [InlineData("LIST \"\" (a* b*)", "LIST \"\" (a* b* c*)")]
    [InlineData("LIST \"\" * RETURN (METADATA (/private/a /private/b /private/c))", "LIST \"\" * RETURN (METADATA (/private/a /private/b /private/c /private/d))")]
    public async Task One_more_is_refused(string within, string beyond)
    {
        await using var client = await SelectedAsync();
        (await DoneAsync(client, within)).ShouldStartWith("t OK");
        (await DoneAsync(client, beyond)).ShouldStartWith("t BAD");
    }

    [Fact]
    public async Task Saved_filters_name_each_other_to_a_depth()
    {
        await using var client = await SelectedAsync();
        (await DoneAsync(
            client,
            """SETMETADATA "" (/private/filters/values/one "SEEN" /private/filters/values/two "FILTER one FILTER one" /private/filters/values/three "FILTER two")"""))
            .ShouldStartWith("t OK");
        (await DoneAsync(client, "SEARCH FILTER two")).ShouldStartWith("t OK");
        // RFC 5466 §3.1: the filter that is not looked into any more is undefined.
        (await DoneAsync(client, "SEARCH FILTER three")).ShouldStartWith("t NO [UNDEFINED-FILTER one]");
        // What filters stand for counts as it does where it is written out: the last one would be a key too many.
        (await DoneAsync(client, "SEARCH FILTER two FILTER one")).ShouldStartWith("t NO [UNDEFINED-FILTER one]");
    }

    [Fact]
    public async Task One_ESEARCH_is_over_so_many_mailboxes()
    {
        await using var client = await SelectedAsync();
        foreach (var name in new[] { "a", "b" })
            (await DoneAsync(client, $"CREATE {name}")).ShouldStartWith("t OK");
        (await DoneAsync(client, "ESEARCH IN (mailboxes (a b)) ALL")).ShouldStartWith("t OK");
        // Names that are nobody's and those named twice are none of them.
        (await DoneAsync(client, "ESEARCH IN (mailboxes (a b none) subtree a) ALL")).ShouldStartWith("t OK");
        (await DoneAsync(client, "ESEARCH IN (mailboxes (a b INBOX)) ALL")).ShouldStartWith("t NO [LIMIT]");
        (await DoneAsync(client, "ESEARCH IN (personal) ALL")).ShouldStartWith("t NO [LIMIT]");
    }

    [Fact]
    public async Task One_ESEARCH_names_so_many_mailboxes()
    {
        await using var client = await SelectedAsync();
        (await DoneAsync(client, $"ESEARCH IN (mailboxes ({Names(1000)})) ALL")).ShouldStartWith("t OK");
        (await DoneAsync(client, $"ESEARCH IN (mailboxes ({Names(1001)})) ALL")).ShouldStartWith("t BAD");
    }

    private static string Names(int count) => string.Join(' ', Enumerable.Range(0, count).Select(i => $"n{i}"));

    private async Task<ScriptedClient> SelectedAsync()
    {
        var client = await fixture.LogInAsync(await fixture.NewAccountAsync(), fixture.ServicesWith(Limits));
        (await DoneAsync(client, "SELECT INBOX")).ShouldStartWith("t OK");
        return client;
    }

    private static async Task<string> DoneAsync(ScriptedClient client, string command)
    {
        await client.SendLineAsync($"t {command}");
        string line;
        while (!(line = (await client.ReadLineAsync())!).StartsWith("t ", StringComparison.Ordinal))
        {
            // The answer.
        }

        return line;
    }
}
