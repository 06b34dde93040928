using System.Net;
using System.Text;
using EventMail.Domain.Deliveries;
using EventMail.Domain.Mailboxes;
using EventMail.Domain.Reception;
using EventMail.EventStore;
using EventMail.Projections.Accounts;
using EventMail.Projections.Deliveries;
using EventMail.Projections.History;
using EventMail.Projections.History.Index;
using EventMail.Projections.Mailboxes;
using EventMail.Projections.Reception;
using EventMail.Projections.Tests.Deliveries;
using EventMail.Testing;

namespace EventMail.Projections.Tests.History;

/// <summary>
/// What a mail server sees in a day: a message for two that a third may not have, read, copied, moved and deleted; mail in bulk; one sent out
/// that comes back. Played once for all tests.
/// </summary>
public sealed class HistorySite : IAsyncLifetime
{
    public const string Life = "life@far.example";

    private DeliveryFixture _deliveries = null!;

    public TestMail Mail => _deliveries.Mail;

    public HistoryLog History => Mail.History;

    public AccountEntry Alice { get; private set; } = null!;

    public AccountEntry Bob { get; private set; } = null!;

    public string Digest { get; private set; } = "";

    /// <summary>Of the message, as Alice's clients see it.</summary>
    public string EmailId { get; private set; } = "";

    public async Task InitializeAsync()
    {
        _deliveries = await DeliveryFixture.StartAsync();
        (Alice, Bob) = (_deliveries.Sender, await Mail.NewAccountAsync());
        await ReceiveAndReadAsync();
        await FillAsync();
        await SubmitAsync();
        await IndexedAsync();
    }

    public Task IndexedAsync() => Mail.Log.Projections.WaitForAsync(HistoryIndexProjection.ProjectionName, default);

    public static Actor Session(string protocol, string client, string id, string? user) =>
        Actor.ForSession(protocol, new(IPAddress.Parse(client), 2525), id, id, "node") with { UserName = user };

    public async Task<List<HistoryEntry>> AskAsync(HistoryQuery query) => await History.ReadAsync(query, default).ToListAsync();

    /// <summary>All of the log.</summary>
    public async Task<List<StoredEvent>> LogAsync() => await Mail.Log.Reader.ReadAllAsync(0).ToListAsync();

    private async Task ReceiveAndReadAsync()
    {
        var smtp = Session("smtp", "192.0.2.7", "smtp-1", null);
        // A filter refused the third recipient at RCPT, before there was a Message-ID.
        await new RefusedMail(Mail.Log).NoteAsync(
            [new(Bob.Account, Bob.Address, "third@example.test")], new MessageRefused("sender@far.example", "", null, 0, "milter", "550 5.7.1 No"), smtp, "1", default);
        await ReceiveAsync(smtp, "1", Life, "A message with a life", Alice, Bob);

        var imap = Session("imap", "2001:db8::1", "imap-1", Alice.Address);
        using (var inbox = await OpenAsync(Alice, "INBOX"))
        {
            var content = inbox.View[0].Content;
            var id = new byte[EmailIds.Length];
            new EmailIds(SecretKey.Open(Mail.Folder).ObjectIdKey(Alice.Account)).Write(content, id);
            EmailId = Encoding.ASCII.GetString(id);
            (await Mail.Mailboxes.StoreAsync(inbox, UidSet.Of(1), StoreMode.Add, ["\\Seen"], null, imap, "A1", default)).Rejection.ShouldBeNull();
            (await Mail.Mailboxes.CopyAsync(inbox, UidSet.Of(1), "Archive", false, imap, "A2", default)).Rejection.ShouldBeNull();
            (await Mail.Mailboxes.CopyAsync(inbox, UidSet.Of(1), "Trash", true, imap, "A3", default)).Rejection.ShouldBeNull();
        }
        (await Mail.Mailboxes.RenameAsync(Alice.Account, "Archive", "Kept", imap, "A4", default)).Rejection.ShouldBeNull();
        using (var trash = await OpenAsync(Alice, "Trash"))
            (await Mail.Mailboxes.RemoveAsync(trash, UidSet.Of(1), imap, "A5", default)).Rejection.ShouldBeNull();
        (await Mail.Mailboxes.DeleteAsync(Alice.Account, "Kept", imap, "A6", default)).Rejection.ShouldBeNull();
        using (var inbox = await OpenAsync(Bob, "INBOX"))
            (await Mail.Mailboxes.RemoveAsync(inbox, UidSet.Of(1), Session("pop3", "192.0.2.9", "pop3-1", Bob.Address), "QUIT", default)).Rejection.ShouldBeNull();
    }

    // More than a page, and flags of more messages than the index tells apart.
    private async Task FillAsync()
    {
        for (var i = 0; i < 3; i++)
            await ReceiveAsync(Session("smtp", $"198.51.100.{i}", $"smtp-fill-{i}", null), "1", $"fill-{i}@far.example", $"Filling {i}", Bob);
        var imap = Session("imap", "192.0.2.9", "imap-2", Bob.Address);
        using var inbox = await OpenAsync(Bob, "INBOX");
        var stored = await Task.WhenAll(Enumerable.Range(0, 1100).Select(round => Mail.Mailboxes.StoreAsync(
            inbox, UidSet.OfRange(2, 4), round % 2 == 0 ? StoreMode.Add : StoreMode.Remove, ["\\Flagged"], null, imap, $"B{round}", default)));
        stored.ShouldAllBe(result => result.Rejection == null);
    }

    private async Task SubmitAsync()
    {
        await _deliveries.SubmitAsync(_deliveries.Submission("nobody@b.example") with { MessageId = "sent@example.test" });
        (await _deliveries.AttemptAsync(OutcomeKind.Failed, 550, "5.1.1", "No such user")).ToString().ShouldNotBeEmpty();
    }

    private async Task ReceiveAsync(Actor actor, string cause, string messageId, string subject, params AccountEntry[] accounts)
    {
        await using var message = IncomingMessage.Begin(Mail.Log.Contents);
        await message.WriteAsync(Encoding.UTF8.GetBytes($"From: sender@far.example\r\nSubject: {subject}\r\nMessage-ID: <{messageId}>\r\n\r\n{subject}\r\n"), default);
        var received = await Mail.Mailboxes.Arrivals.ReceiveAsync(
            [.. accounts.Select(account => new LocalRecipient(account.Account, account.Address, account.Address))], await message.CompleteAsync(false, default),
            "sender@far.example", messageId, QuotaRule.EveryoneFits, actor, cause, default);
        received.Rejection.ShouldBeNull();
        if (messageId == Life)
            Digest = (await LogAsync()).Select(e => e.Data).OfType<MessageReceived>().Last().Content.Sha256;
    }

    private async Task<OpenMailbox> OpenAsync(AccountEntry account, string name) => (await Mail.Mailboxes.OpenAsync(account.Account, name, default)).Value!;

    public async Task DisposeAsync() => await _deliveries.DisposeAsync();
}
