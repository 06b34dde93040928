using System.Text;
using EventMail.Domain.Mailboxes;
using EventMail.Domain.Messages;
using EventMail.Projections.Mailboxes;

namespace EventMail.Projections.Tests.Mailboxes;

public class MessageSummaryTests
{
    private const string Account = "aaaaaaaa";

    private static string Text(ReadOnlyMemory<byte> bytes) => Encoding.UTF8.GetString(bytes.Span);

    private static MessageSummary Of(string message) => MessageSummary.Of(MessageReader.Read(Encoding.UTF8.GetBytes(message)));

    [Fact]
    public void M003_It_holds_what_imap_sends()
    {
        var summary = Of(MailNode.Text(1));
        Text(summary.Envelope).ShouldStartWith("(NIL \"Message 1\" ((NIL NIL \"sender1\" \"example.test\"))");
        Text(summary.BodyStructure).ShouldStartWith("(\"text\" \"plain\"", Case.Insensitive);
        Text(summary.Body).Length.ShouldBeLessThan(Text(summary.BodyStructure).Length);
        summary.Parts.TryLocate([], SectionPart.Text, out var offset, out var length).ShouldBeTrue();
        MailNode.Text(1).Substring((int)offset, (int)length).ShouldBe("Body 1\r\n");
    }

    [Fact]
    public void Header_lines_are_the_known_fields_as_they_stand_and_the_blank_line()
    {
        const string header =
            "received: by x\r\nTO: a@b,\r\n\tc@d\r\nX-Other: 1\r\nsubject : s\r\nto: again@x\r\nno colon here\r\nDate: today\r\n";
        Text(Of(header + "\r\nbody").HeaderLines!.Value).ShouldBe("TO: a@b,\r\n\tc@d\r\nsubject : s\r\nto: again@x\r\nDate: today\r\n\r\n");
        Text(Of("X-Other: 1\r\n\r\nbody").HeaderLines!.Value).ShouldBe("\r\n");
        MessageSummary.IsCachedField("mEssage-iD"u8).ShouldBeTrue();
        MessageSummary.IsCachedField("Received"u8).ShouldBeFalse();
        MessageSummary.IsCachedField(""u8).ShouldBeFalse();
    }

    [Fact]
    public void Header_lines_beyond_MaxHeaderLines_are_not_kept()
    {
        var fits = "To: " + new string('x', MessageSummary.MaxHeaderLines - 6) + "\r\n";
        Of(fits + "\r\n").HeaderLines!.Value.Length.ShouldBe(MessageSummary.MaxHeaderLines + "\r\n".Length);
        Of("To: y" + fits[4..] + "\r\n").HeaderLines.ShouldBeNull();
    }

    public static TheoryData<string, string> Hostile()
    {
        const string embedded = "--b\r\nContent-Type: message/rfc822\r\n\r\n";
        const string multipart = "Content-Type: multipart/mixed; boundary=b\r\n\r\n";
        return new()
        {
            { "addresses of two octets in 52 messages", multipart + Many(52, embedded + "From: " + Many(9_900, ">,") + "\r\n\r\n") },
            { "addresses of two octets in one", "From: " + Many(500_000, ">,") + "\r\n\r\n" },
            { "a name of NULs", multipart + embedded + "From: x" + new string('\0', 1_000_000) + " <a@b>\r\n\r\n" },
            { "parts of six octets", multipart + Many(170_000, "--b\r\n\r\n") },
            { "languages of two octets", "Content-Type: text/plain\r\nContent-Language: " + Many(500_000, "a,") + "\r\n\r\n" },
            { "parameters", multipart + Many(5_000, "--b\r\nContent-Type: a/b" + Many(50, ";a=") + "\r\n\r\n") },
            { "quotes in embedded messages", multipart + Many(100, embedded + "From: " + Many(3_000, "\\\"") + " <a@b>\r\n\r\n") },
        };

        static string Many(int count, string text) => string.Concat(Enumerable.Repeat(text, count));
    }

    [Theory]
    [MemberData(nameof(Hostile))]
    public void Of_a_hostile_message_it_stays_within_MaxSize(string what, string message)
    {
        message.Length.ShouldBeLessThan(2 << 20, what);
        Of(message).Data.Length.ShouldBeLessThan(MessageSummary.MaxSize, what);
    }

    [Fact]
    public void Its_stored_form_is_checked()
    {
        var data = Of(MailNode.Text(1)).Data;
        MessageSummary.TryRead(data, out var again).ShouldBeTrue();
        Text(again.Envelope).ShouldBe(Text(Of(MailNode.Text(1)).Envelope));
        for (var length = 0; length < data.Length; length++)
            MessageSummary.TryRead(data[..length], out _).ShouldBeFalse();
        MessageSummary.TryRead([(byte)(data[0] + 1), .. data[1..]], out _).ShouldBeFalse();
    }

    [Fact]
    public async Task It_does_not_depend_on_the_pieces_in_which_a_message_comes()
    {
        await using var database = await MailNode.DatabaseAsync();
        await using var node = await MailNode.StartAsync(database);
        var bytes = Encoding.UTF8.GetBytes(
            "Subject: parts\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\none\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>\r\n--b--\r\n");
        var whole = MessageSummary.Of(MessageReader.Read(bytes));
        for (var size = 1; size < bytes.Length; size += 3)
        {
            await using var message = IncomingMessage.Begin(node.Log.Contents);
            for (var at = 0; at < bytes.Length; at += size)
                await message.WriteAsync(bytes.AsMemory(at, Math.Min(size, bytes.Length - at)), default);
            message.Size.ShouldBe(bytes.Length);
            var content = await message.CompleteAsync(false, default);
            ((MessageAnnotation)content.Annotation!).Summary.Data.ShouldBe(whole.Data);
        }
    }

    [Fact]
    public async Task It_is_read_from_its_row_or_derived_again_from_the_content()
    {
        await using var database = await MailNode.DatabaseAsync();
        long number;
        byte[] data;
        await using (var node = await MailNode.StartAsync(database))
        {
            await node.AddAccountAsync(Account);
            await node.ReceiveAsync(1, Account);
            using var inbox = await node.OpenAsync(Account, "INBOX");
            number = inbox.View[0].Content;
            node.Summaries.TryGet(number, out var summary).ShouldBeTrue();
            data = summary.Data;
        }
        string[] changes =
        [
            "select 1", "delete from projections.message_summary", "update projections.message_summary set data = '\\x00'",
            "drop table projections.message_summary",
        ];
        foreach (var change in changes)
        {
            await using (var command = database.DataSource.CreateCommand(change))
                await command.ExecuteNonQueryAsync();
            await using var node = await MailNode.StartAsync(database);
            node.Summaries.TryGet(number, out _).ShouldBeFalse();
            (await node.Summaries.GetAsync(number, default)).Data.ShouldBe(data);
            node.Summaries.TryGet(number, out _).ShouldBeTrue();
            await using var check = database.DataSource.CreateCommand("select data from projections.message_summary");
            (await check.ExecuteScalarAsync()).ShouldBe(data);
        }
    }

    [Fact]
    public async Task A_large_message_is_summarised_from_its_file()
    {
        await using var database = await MailNode.DatabaseAsync();
        await using var node = await MailNode.StartAsync(database);
        await node.AddAccountAsync(Account);
        var text = MailNode.Text(1) + string.Concat(Enumerable.Repeat("line of a large body\r\n", 50_000));
        var delivered = await node.Mailboxes.Arrivals.ReceiveAsync(
            [new(Account, "", "r@x")], await node.MessageAsync(text), "", null, QuotaRule.EveryoneFits, MailNode.Someone, null, default);
        delivered.Rejection.ShouldBeNull();
        await using (var command = database.DataSource.CreateCommand("delete from projections.message_summary"))
            await command.ExecuteNonQueryAsync();
        using var inbox = await node.OpenAsync(Account, "INBOX");
        node.Summaries.TryGet(inbox.View[0].Content, out var kept).ShouldBeTrue();
        using var fresh = new MessageSummaries(node.Log);
        (await fresh.GetAsync(inbox.View[0].Content, default)).Data.ShouldBe(kept.Data);
    }

    [Fact]
    public async Task Many_are_fetched_at_once_dense_or_not()
    {
        await using var database = await MailNode.DatabaseAsync();
        await using var node = await MailNode.StartAsync(database);
        await node.AddAccountAsync(Account);
        for (var i = 1; i <= 60; i++)
            await node.ReceiveAsync(i, Account);
        using var inbox = await node.OpenAsync(Account, "INBOX");
        var numbers = Enumerable.Range(0, 60).Select(i => inbox.View[i].Content).ToArray();
        using (var dense = new MessageSummaries(node.Log))
        {
            await dense.PrefetchAsync(numbers, default);
            numbers.Where(n => Has(dense, n)).ShouldBe(numbers);
        }
        using var sparse = new MessageSummaries(node.Log);
        await sparse.PrefetchAsync(new[] { numbers[^1], numbers[3] }, default);
        numbers.Where(n => Has(sparse, n)).ShouldBe([numbers[3], numbers[^1]]);
        static bool Has(MessageSummaries summaries, long n) => summaries.TryGet(n, out _);
    }

    [Fact]
    public void The_cache_is_bounded_and_keeps_what_is_read()
    {
        var cache = new ContentCache(200_000);
        var summary = new byte[1000];
        cache.Put(0, summary);
        for (var i = 1; i <= 2000; i++)
        {
            cache.Put(i * 64L, summary);
            cache.TryGet(0, out _).ShouldBeTrue();
            cache.Bytes.ShouldBeLessThan(205_000);
        }
        cache.TryGet(2000 * 64L, out _).ShouldBeTrue();
        cache.TryGet(1000 * 64L, out _).ShouldBeFalse();
        Enumerable.Range(1, 2000).Count(i => cache.TryGet(i * 64L, out _)).ShouldBeGreaterThan(100);
    }
}
