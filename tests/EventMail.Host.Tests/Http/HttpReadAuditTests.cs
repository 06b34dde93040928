using System.Net;

namespace EventMail.Host.Tests.Http;

/// <summary>Operators' reads of accounts under read auditing, as the log tells them.</summary>
public sealed class HttpReadAuditTests(AdminHost host) : IClassFixture<AdminHost>
{
    private const string Root = "/api/v1";

    [Fact]
    public async Task A_message_that_is_read_by_http_is_told_with_the_key_that_read_it()
    {
        await host.AccountAsync("watched@reads.example");
        var uid = await host.AppendAsync("watched@reads.example", "INBOX", "Subject: x\n\nThe text.\n");
        var message = $"{Root}/accounts/watched@reads.example/mailboxes/INBOX/messages/{uid}";
        await host.Admin.GetAsync($"{message}/raw").ShouldBeAsync(HttpStatusCode.OK);
        (await ReadsAsync()).ShouldBeEmpty();

        (await host.Store.Accounts.SetAuditReadsAsync("watched@reads.example", true, "case 7", AdminHost.Tester, default)).Rejection.ShouldBeNull();
        var then = await host.NowAsync();
        using var auditor = await host.ClientAsync("auditor", "read:messages");
        // What the header says is no reading of the text, as by IMAP; nor is how long it is.
        using (var head = await auditor.SendAsync(new(HttpMethod.Head, $"{message}/raw")))
            head.Content.Headers.ContentLength.ShouldBe("Subject: x\r\n\r\nThe text.\r\n".Length);
        await auditor.GetAsync(message).ShouldBeAsync(HttpStatusCode.OK);
        using var read = await auditor.GetAsync($"{message}/raw");
        var told = (await ReadsAsync()).ShouldHaveSingleItem();
        told.ShouldBe(("api:auditor", read.Headers.GetValues("EventMail-Session").Single()));
        // Of the past as well.
        await auditor.GetAsync($"{message}/raw?at={Uri.EscapeDataString(then.ToString("O"))}").ShouldBeAsync(HttpStatusCode.OK);
        (await ReadsAsync()).Count.ShouldBe(2);
    }

    private async Task<List<(string By, string Session)>> ReadsAsync()
    {
        var page = await host.Admin.GetAsync($"{Root}/accounts/watched@reads.example/history?types=messages_read").JsonAsync();
        return [.. page["items"]!.AsArray().Select(entry => ((string)entry!["by"]!, (string)entry["session"]!))];
    }
}
