using System.Text;
using EventMail.Domain.Messages;

namespace EventMail.Domain.Tests.Messages;

/// <summary>RFC 8970 §3.3.</summary>
public sealed class PreviewTests
{
    private static string Of(string text, int piece = int.MaxValue)
    {
        var preview = new PreviewText();
        foreach (var part in text.Chunk(Math.Min(piece, Math.Max(1, text.Length))))
        {
            if (!preview.Feed(part))
                break;
        }
        return preview.Finish();
    }

    [Theory]
    [InlineData("", "")]
    [InlineData("  Hello\r\n\r\n\tworld \u00a0 !\r\n", "Hello world !")]
    [InlineData("Fine.\r\n\r\nOn Monday Joe wrote:\r\n> Are you\r\n> well?\r\n", "Fine.")]
    [InlineData("On Monday Joe wrote:\n> Are you well?\nFine.\n", "Fine.")]
    [InlineData("I said: yes\nand you\n> no\n", "I said: yes and you")]
    [InlineData("> only\n> quoted\n", "> only > quoted")]
    [InlineData("Text\n-- \nJoe\nSales\n", "Text")]
    [InlineData("-- \nJoe\n", "Joe")]
    [InlineData("Text\n-----Original Message-----\nFrom: x\n", "Text")]
    [InlineData("=====\n***\nNews\n-----\n", "News")]
    [InlineData("Deal\u200c\u00ad\u034f \ufeff\u200b of the day", "Deal of the day")]
    [InlineData("a\0b\u0007c", "a b c")]
    public void It_is_what_the_message_says_itself(string text, string expected)
    {
        Of(text).ShouldBe(expected);
        for (var piece = 1; piece < 8; piece++)
            Of(text, piece).ShouldBe(expected);
    }

    [Fact]
    public void It_has_at_most_two_hundred_characters_whatever_they_are_made_of()
    {
        Of(string.Concat(Enumerable.Repeat("😀", 5000)), 3).EnumerateRunes().Count().ShouldBe(PreviewText.MaxLength);
        Of(new string('x', 100_000)).Length.ShouldBe(PreviewText.MaxLength);
        Of(string.Concat(Enumerable.Repeat("word\n", 1000))).Length.ShouldBeInRange(195, PreviewText.MaxLength);
        Of(new string('x', 199) + " y").ShouldBe(new string('x', 199));
    }

    private static string[] Parts(string message)
    {
        var reader = new MessageReader(MessageLimits.Default);
        reader.Feed(Encoding.UTF8.GetBytes(message.ReplaceLineEndings("\r\n")));
        return [.. PreviewParts.Of(PartMap.Of(reader.Finish())).Select(part => part.Subtype)];
    }

    [Fact]
    public void Plain_text_goes_before_html_and_what_is_encrypted_says_nothing()
    {
        static string Multipart(string kind) =>
            $"Content-Type: multipart/{kind}; boundary=b\n\n--b\nContent-Type: text/html\n\n<p>\n--b\nContent-Type: image/png\n\nx\n"
            + "--b\nContent-Type: text/plain\n\nx\n--b\nContent-Type: message/rfc822\n\nSubject: x\n\nx\n--b--\n";
        Parts(Multipart("alternative")).ShouldBe(["plain", "html"]);
        Parts(Multipart("mixed")).ShouldBe(["html", "plain"]);
        Parts(Multipart("encrypted")).ShouldBeEmpty();
        Parts("Subject: x\n\ntext\n").ShouldBe(["plain"]);
        Parts("Content-Type: image/png\n\nx\n").ShouldBeEmpty();
        PreviewParts.IsAttachment("Content-Type: text/plain\r\ncontent-disposition:\r\n ATTACHMENT; filename=x\r\n\r\n"u8).ShouldBeTrue();
        PreviewParts.IsAttachment("Content-Disposition: inline\r\n\r\n"u8).ShouldBeFalse();
    }
}
