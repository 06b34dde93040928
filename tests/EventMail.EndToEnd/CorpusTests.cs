using System.Globalization;
using System.Text;

namespace EventMail.EndToEnd;

/// <summary>Every real message, in by SMTP and out by IMAP and by POP3, with clients that others have written.</summary>
public sealed class CorpusTests(MailServer server) : IClassFixture<MailServer>
{
    [NeedsCorpusFact("swaks", "curl")]
    public async Task Swaks_delivers_every_message_of_the_corpus_and_curl_reads_it_by_IMAP_and_by_POP3_byte_for_byte()
    {
        var account = await server.NewAccountAsync();
        using var folder = new TempFolder();
        var sent = Corpus.Messages.ToDictionary(message => message.Key, message => Corpus.AsSent(message.Value));
        sent.Count.ShouldBeGreaterThan(60);
        foreach (var message in sent.Values)
        {
            await Delivery.SwaksAsync(server["smtp"], account, message, folder.Path);
        }

        // By UID, which starts at 1, and by message-number.
        await CurlAsync("imap", "INBOX;UID=", account, sent.Count, folder);
        await CurlAsync("pop3", "", account, sent.Count, folder);
        foreach (var ((name, message), number) in sent.Select((pair, index) => (pair, index + 1)))
        {
            foreach (var protocol in new[] { "imap", "pop3" })
            {
                var received = await File.ReadAllBytesAsync(folder[$"{protocol}-{number}"]);
                Delivery.ShouldBeAsSent(Encoding.Latin1.GetString(received), message, $"{name} by {protocol}");
            }
        }
    }

    private Task<byte[]> CurlAsync(string protocol, string path, string account, int count, TempFolder folder) =>
        ClientProgram.RunAsync("curl",
        [
            "--silent", "--show-error", "--user", $"{account}:{MailServer.Password}", "--output", folder[$"{protocol}-#1"],
            string.Create(CultureInfo.InvariantCulture, $"{protocol}://{server[protocol]}/{path}[1-{count}]"),
        ]);
}
