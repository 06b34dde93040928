using System.Text;
using EventMail.Protocols.Smtp.Syntax;
using EventMail.Testing;
using EventMail.Testing.Transcripts;
using FsCheck;
using FsCheck.Fluent;

namespace EventMail.Protocols.Tests.Smtp.Submission;

/// <summary>Values of parameters, and dialogues of a user who is logged in, of all kinds.</summary>
public sealed class SubmissionFuzzTests(SubmissionFixture fixture) : IClassFixture<SubmissionFixture>
{
    private static readonly string[] Fragments =
    [
        " SIZE=1", " BODY=8BITMIME", " SMTPUTF8", " AUTH=<>", " AUTH=a+40b", " RET=FULL", " ENVID=a+20b", " ENVID=+", " HOLDFOR=5", " HOLDUNTIL=2026-01-01T00:00:00Z",
        " BY=10;R", " BY=;", " BY=-", " MT-PRIORITY=-3", " NOTIFY=SUCCESS", " NOTIFY=,", " ORCPT=rfc822;a", " ORCPT=utf-8;\\x{41}", " ORCPT=;", "=", ";", "+", " ", "\u00fc", "\\x{",
        "MAIL FROM:<", "RCPT TO:<", "@example.com>", "a@example.com>", ">", "\r\n", "\r\n", "\r\n", "RSET\r\n", "DATA\r\n", ".\r\n", "From: a@b\r\n", "Bcc: x\r\n", "\r\n.\r\n",
        "AUTH PLAIN\r\n", "*\r\n", "AUTH LOGIN =\r\n", "BDAT 3 LAST\r\nabc", "EHLO x\r\n", "NOOP\r\n",
    ];

    [Fact]
    public void What_xtext_holds_comes_back()
    {
        var text = Gen.Choose(32, 126).Select(c => (char)c).ListOf().Select(list => new string([.. list]));
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(1000), Prop.ForAll(Arb.From(text), original =>
        {
            XText.TryDecode(Encoding.ASCII.GetBytes(XText.Encode(original)), out var decoded).ShouldBeTrue();
            decoded.ShouldBe(original);
        }));
    }

    [Fact]
    public void Any_bytes_are_xtext_or_an_original_recipient_or_refused_and_what_is_taken_is_printable_ASCII()
    {
        var piece = Gen.OneOf(
            Gen.Choose(0, 255).Select(b => new[] { (byte)b }),
            Gen.Elements("+2B", "+4", "rfc822;", "utf-8;", "\\x{FC}", "\\x{110000}", "\\x{D800}", "\u00fc", "\\x{", "}").Select(Encoding.UTF8.GetBytes));
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(3000), Prop.ForAll(Arb.From(piece.ListOf()), pieces =>
        {
            var value = pieces.SelectMany(bytes => bytes).ToArray();
            if (XText.TryDecode(value, out var text))
                text.ShouldAllBe(c => c >= ' ' && c <= '~');
            if (OriginalRecipientText.Read(value) is { } recipient)
            {
                recipient.ShouldAllBe(c => c > ' ' && c <= '~');
                // What was written is read as the same.
                OriginalRecipientText.Read(Encoding.ASCII.GetBytes(recipient)).ShouldBe(recipient);
            }
        }));
    }

    [Theory]
    [InlineData("rfc822;a+40b@x", "rfc822;a+40b@x")]
    [InlineData("utf-8;j\u00fcrgen@x", "utf-8;j\\x{FC}rgen@x")]
    [InlineData("utf-8;a\\x{2B}b@x", "utf-8;a\\x{2B}b@x")]
    [InlineData("utf-8;\\x{1F600}@x", "utf-8;\\x{1F600}@x")]
    [InlineData("utf-8;a+40b", null)]
    [InlineData("utf-8;\\x{fc}", null)]
    [InlineData("utf-8;\\x{0FC}", null)]
    [InlineData("utf-8;\\x{D800}", null)]
    [InlineData("rfc822;j\u00fc", null)]
    [InlineData("rfc822;", null)]
    [InlineData("a b;c", null)]
    public void An_original_recipient_is_kept_in_a_form_for_seven_bits(string value, string? kept) => // RFC 6533 §3
        OriginalRecipientText.Read(Encoding.UTF8.GetBytes(value)).ShouldBe(kept);

    [Fact]
    public async Task Random_dialogues_are_answered_and_end()
    {
        var account = await fixture.Mail.NewAccountAsync();
        var random = new Random(20261121);
        for (var round = 0; round < 60; round++)
        {
            await using var client = await fixture.LogInAsync(account);
            var dialogue = string.Concat(Enumerable.Range(0, 40).Select(_ => Fragments[random.Next(Fragments.Length)]));
            try
            {
                await client.SendAsync(Encoding.UTF8.GetBytes(dialogue + "\r\n.\r\n*\r\nRSET\r\nNOOP\r\nQUIT\r\n"));
                while (await client.ReadLineAsync() is { } line)
                    line.Length.ShouldBeGreaterThan(3);
            }
            catch (IOException)
            {
                // Closed on for its errors.
            }
        }
    }

    [Fact]
    public async Task A_message_cut_off_anywhere_leaves_nothing_behind()
    {
        var account = await fixture.Mail.NewAccountAsync();
        await fixture.SubmittedAsync();
        var whole = $"MAIL FROM:<{account.Address}>\r\nRCPT TO:<a@example.com>\r\nDATA\r\nFrom: <{account.Address}>\r\n\r\nx\r\n.";
        for (var length = 0; length < whole.Length; length += 7)
        {
            await using var client = await fixture.LogInAsync(account);
            await client.SendAsync(Encoding.ASCII.GetBytes(whole[..length]));
        }

        (await fixture.SubmittedAsync()).ShouldBeEmpty();
    }
}
