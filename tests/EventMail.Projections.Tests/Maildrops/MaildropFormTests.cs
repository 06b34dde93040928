using EventMail.Domain.Mailboxes;
using EventMail.Projections.Maildrops;
using EventMail.Projections.Tests.Mailboxes;

namespace EventMail.Projections.Tests.Maildrops;

/// <summary>The table of forms was dropped: what POP3 announces is right all the same.</summary>
public sealed class MaildropFormTests
{
    private const string Account = "aaaaaaaa";

    [Fact]
    public async Task A_message_that_is_moved_into_INBOX_later_is_announced_as_it_is_sent()
    {
        await using var database = await MailNode.DatabaseAsync();
        await using var node = await MailNode.StartAsync(database);
        await node.AddAccountAsync(Account);
        await using (var connection = await database.DataSource.OpenConnectionAsync())
            await new MaildropFormProjection().CreateAsync(connection, default);
        // Bare line feeds: each is sent as CRLF.
        const string bare = "Subject: bare\n\none\ntwo\n";
        (await node.Mailboxes.AppendAsync(
            Account, "Archive", await node.MessageAsync(bare), [], DateTimeOffset.UnixEpoch, MailNode.Someone, "A", default)).Rejection.ShouldBeNull();
        await node.ReceiveAsync(1, Account);

        using var inbox = await node.OpenAsync(Account, "INBOX");
        var forms = await MaildropFormProjection.ReadAsync(node.Log, Account, inbox.View, default);
        forms.Count.ShouldBe(1);
        forms[inbox.View[0].Content].ShouldBe(new(inbox.View[0].Size, inbox.View[0].Size, false));

        using (var archive = await node.OpenAsync(Account, "Archive"))
            (await node.Mailboxes.CopyAsync(archive, UidSet.Parse("1"), "INBOX", move: true, MailNode.Someone, "A", default)).Rejection.ShouldBeNull();
        await node.ReceiveAsync(2, Account);
        inbox.View.Count.ShouldBe(3);
        var moved = inbox.View[1];
        for (var round = 0; round < 2; round++)
        {
            forms = await MaildropFormProjection.ReadAsync(node.Log, Account, inbox.View, default);
            forms.Count.ShouldBe(3);
            forms[moved.Content].ShouldBe(new(bare.Length + 4, bare.Length + 4, false));
        }
    }
}
