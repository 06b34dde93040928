using EventMail.Testing;

namespace EventMail.EndToEnd.Undo;

/// <summary>A client that is at work in its mailbox all the while: reads, stores, searches, makes and removes mailboxes. One command that is refused fails the test.</summary>
internal sealed class Bystander : IAsyncDisposable
{
    private static readonly string[] Round =
    [
        "NOOP", "STATUS Drafts (MESSAGES UIDNEXT UIDVALIDITY)", "SELECT INBOX", "UID FETCH 1:* (FLAGS UID)", @"STORE 1:* +FLAGS (\Seen)", "UID SEARCH UNSEEN",
        "UID SEARCH SUBJECT flow", @"STORE 1:* -FLAGS (\Seen)", "LIST \"\" \"*\"", "CREATE Passing", "COPY 1:* Passing", "DELETE Passing", "GETQUOTAROOT INBOX", "UNSELECT",
    ];

    private readonly CancellationTokenSource _stop = new();
    private Task<int> _running = Task.FromResult(0);

    public static Bystander Begin(TestServer server, string account)
    {
        var bystander = new Bystander();
        bystander._running = Task.Run(() => bystander.RunAsync(server, account));
        return bystander;
    }

    /// <summary>How many commands were done.</summary>
    public async Task<int> EndAsync()
    {
        await _stop.CancelAsync();
        return await _running;
    }

    private async Task<int> RunAsync(TestServer server, string account)
    {
        await Delivery.SendAsync(server["smtp"], account, "Subject: the first\r\n\r\nBody\r\n");
        await using var client = await ImapClient.LoginAsync(server["imap"], account);
        var done = 0;
        while (!_stop.IsCancellationRequested)
        {
            foreach (var command in Round)
            {
                await client.RunAsync(command);
                done++;
            }
        }

        return done;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAny(_running);
        _stop.Dispose();
    }
}
