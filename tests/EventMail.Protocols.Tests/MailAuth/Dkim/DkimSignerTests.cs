using System.Text;
using EventMail.Protocols.MailAuth.Dkim;

namespace EventMail.Protocols.Tests.MailAuth.Dkim;

public sealed class DkimSignerTests
{
    private static readonly Mail Plain = Mail.Of("""
        From: Jane <jane@example.org>
        To: bob@example.net
        Subject: folded
          subject  with	tabs 
        Date: Sat, 21 Nov 2026 10:00:00 +0000
        Message-ID: <1@example.org>
        Received: by example.org

        Hello  Bob,	 

         bye


        """);

    [Fact]
    public async Task A_signed_message_verifies_with_each_key_of_its_domain()
    {
        var results = await (await Plain.SignAsync()).VerifyAsync(TestKeys.Dns());

        results.Select(result => (result.Verdict, result.Reason, result.Algorithm, result.Domain, result.Selector, result.Identity)).ShouldBe([
            (DkimVerdict.Pass, "", "rsa-sha256", "example.org", "r1", "@example.org"),
            (DkimVerdict.Pass, "", "ed25519-sha256", "example.org", "e1", "@example.org")]);
    }

    [Fact]
    public async Task From_is_signed_once_more_than_it_occurs_and_Received_not_at_all()
    {
        var text = Unfolded(await Plain.SignAsync(1));

        text.ShouldContain("; h=from:from:subject:subject:date:date:message-id:message-id:to:to;");
        text.ShouldContain($"; t={Mail.Now.ToUnixTimeSeconds()};");
        text.ShouldContain("; c=relaxed/relaxed;");
        text.ShouldNotContain("; l=");
    }

    // RFC 6376 §5.4.1, RFC 8058 §4, and what large receivers ask of bulk senders: nothing that a reader or a program goes by is open to others.
    [Fact]
    public async Task What_people_and_programs_go_by_is_signed()
    {
        string[] once =
        [
            "Sender", "Reply-To", "Subject", "Date", "Message-ID", "To", "Cc", "In-Reply-To", "References",
            "MIME-Version", "Content-Type", "Content-Transfer-Encoding",
        ];
        string[] others =
        [
            "Resent-Date", "Resent-From", "Resent-Sender", "Resent-To", "Resent-Cc", "Resent-Message-ID",
            "List-Unsubscribe", "List-Unsubscribe-Post", "List-ID", "List-Help", "List-Subscribe", "List-Post", "List-Owner", "List-Archive",
        ];
        var mail = Mail.Of("From: a@example.org\r\n" + string.Concat(once.Concat(others).Select(name => $"{name}: x\r\n")) + "Received: by x\r\nX-Other: x\r\n\r\nx\r\n");

        var signed = Unfolded(await mail.SignAsync(1));

        var names = signed[(signed.IndexOf("; h=", StringComparison.Ordinal) + 4)..].Split(';')[0].Split(':');
        names.Order().ShouldBe([.. new[] { "from", "from" }.Concat(once).Concat(once).Concat(others).Select(name => name.ToLowerInvariant()).Order()]);
    }

    [Fact]
    public async Task No_line_of_a_signature_is_longer_than_78()
    {
        var many = Mail.Of(string.Concat(Enumerable.Range(0, 40).Select(i => $"List-Post: <mailto:{i}@example.org>\r\n")) + "From: a@example.org\r\n\r\n");
        var fields = await TestKeys.Signer().SignAsync("example.org", many.Header, many.InPieces(), Mail.Now, default);

        var lines = Encoding.ASCII.GetString(fields!).Split("\r\n");
        lines[^1].ShouldBeEmpty();
        lines.ShouldAllBe(line => line.Length <= 78);
        lines.Skip(1).SkipLast(1).ShouldAllBe(line => line.StartsWith(' ') || line.StartsWith("DKIM-Signature: "));
        (await (await many.SignAsync()).VerifyAsync(TestKeys.Dns())).ShouldAllBe(result => result.Verdict == DkimVerdict.Pass);
    }

    [Fact]
    public async Task A_header_with_thousands_of_fields_is_signed_with_a_bounded_list()
    {
        var many = Mail.Of("From: a@example.org\r\n" + string.Concat(Enumerable.Repeat("To: b@example.net\r\n", 5_000)) + "Subject: x\r\n\r\nx\r\n");

        var signed = await many.SignAsync(1);

        Unfolded(signed).ShouldContain("; h=from:from:subject:subject;");
        (await signed.VerifyAsync(TestKeys.Dns())).ShouldHaveSingleItem().Verdict.ShouldBe(DkimVerdict.Pass);
    }

    [Fact]
    public async Task A_domain_without_a_key_is_not_signed_for_and_its_body_not_read() =>
        (await TestKeys.Signer().SignAsync("example.net", Plain.Header, Unreadable(), Mail.Now, default)).ShouldBeNull();

    [Theory]
    [InlineData("EXAMPLE.org", true)]
    [InlineData("[192.0.2.1]", false)]
    [InlineData("", false)]
    public async Task The_domain_is_taken_as_it_stands_in_From(string domain, bool signed) =>
        (await TestKeys.Signer().SignAsync(domain, Plain.Header, Plain.InPieces(), Mail.Now, default) is not null).ShouldBe(signed);

    [Theory]
    [InlineData("Subject: folded", "subject :  folded")]
    [InlineData("Subject: folded\r\n  subject", "Subject: folded subject")]
    [InlineData("Hello  Bob,\t \r\n", "Hello \t Bob,\r\n")]
    [InlineData("\r\n bye\r\n", "\r\n\tbye  \r\n\r\n")]
    [InlineData("Received: by example.org\r\n", "Received: by example.org\r\nReceived: by example.net\r\nX-More: x\r\n")]
    public async Task What_relaxed_allows_leaves_the_signatures_right(string what, string by) =>
        (await (await Plain.SignAsync()).Replace(what, by).VerifyAsync(TestKeys.Dns())).ShouldAllBe(result => result.Verdict == DkimVerdict.Pass);

    [Theory]
    [InlineData("Subject: folded", "Subject: fold ed")]
    [InlineData("Subject: folded", "Subject: Folded")]
    [InlineData("To: bob@", "To: rob@")]
    [InlineData("To: bob@example.net\r\n", "")]
    [InlineData("Date: Sat", "Date: Sun, 22 Nov 2026 10:00:00 +0000\r\nDate: Sat")]
    [InlineData("From: Jane", "From: Eve <eve@example.com>\r\nFrom: Jane")]
    [InlineData("Hello  Bob", "HelloBob")]
    [InlineData("\r\n bye", "\r\nbye")]
    [InlineData("Bob,\t \r\n\r\n", "Bob,\t \r\n")]
    public async Task Any_other_change_makes_them_fail(string what, string by)
    {
        var changed = (await Plain.SignAsync()).Replace(what, by);

        (await changed.VerifyAsync(TestKeys.Dns())).Select(result => result.Verdict).ShouldBe([DkimVerdict.Fail, DkimVerdict.Fail]);
    }

    // The first field in one line, with lists as they were before they were folded.
    private static string Unfolded(Mail signed) =>
        signed.Text.Replace(":\r\n ", ":", StringComparison.Ordinal).Replace("\r\n ", " ", StringComparison.Ordinal).Split("\r\n")[0];

    private static async IAsyncEnumerable<ReadOnlyMemory<byte>> Unreadable()
    {
        await Task.Yield();
        if (Plain.Body.Length > 0)
            throw new InvalidOperationException("the body was read");
        yield break;
    }
}
