using System.Globalization;
using System.Text;

namespace EventMail.EndToEnd.Clients;

/// <summary>A client that knows nothing of the past reads it by a mailbox's name.</summary>
public sealed class HistoryClientTests(MailServer server) : IClassFixture<MailServer>
{
    [NeedsFact("curl")]
    public async Task Curl_reads_a_message_that_is_gone_from_the_mailbox_of_then()
    {
        var account = await server.NewAccountAsync();
        using var folder = new TempFolder();
        const string Message = "Subject: rescued\r\nFrom: a@example.org\r\n\r\nBody of then\r\n";
        await CurlAsync("INBOX", "--upload-file", folder.Write("message", Message));
        var then = DateTimeOffset.UtcNow.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture);
        await CurlAsync("INBOX", "--request", "STORE 1 +FLAGS (\\Deleted)");
        await CurlAsync("INBOX", "--request", "EXPUNGE");
        (await CurlAsync("INBOX?ALL")).ShouldBe("* SEARCH\r\n");

        var past = $"%23history%2F{then}%2FINBOX";
        (await CurlAsync($"{past}?SUBJECT%20rescued")).ShouldBe("* SEARCH 1\r\n");
        (await CurlAsync($"{past};MAILINDEX=1")).ShouldBe(Message);
        (await CurlAsync("", "--request", $"LIST \"\" \"#history/{then}/%\"")).ShouldContain($"\"#history/{then}/INBOX\"");
        (await CurlAsync(past, "--request", "COPY 1 INBOX")).ShouldBe("");
        (await CurlAsync("INBOX;UID=2")).ShouldBe(Message);

        async Task<string> CurlAsync(string path, params string[] arguments) => Encoding.UTF8.GetString(await ClientProgram.RunAsync(
            "curl", ["--silent", "--show-error", "--user", $"{account}:{MailServer.Password}", .. arguments, $"imap://{server["imap"]}/{path}"], home: folder.Path));
    }
}
