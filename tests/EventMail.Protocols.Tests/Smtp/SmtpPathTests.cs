using System.Text;
using EventMail.Protocols.Smtp.Syntax;
using FsCheck;
using FsCheck.Fluent;

namespace EventMail.Protocols.Tests.Smtp;

public sealed class SmtpPathTests
{
    [Theory]
    [InlineData("<alice@example.org>", "alice@example.org", "alice", "example.org")]
    [InlineData("<a.b+c!#$%&'*/=?^_`{|}~-@x.example>", "a.b+c!#$%&'*/=?^_`{|}~-@x.example", "a.b+c!#$%&'*/=?^_`{|}~-", "x.example")]
    [InlineData("<\"alice smith\"@example.org>", "\"alice smith\"@example.org", "alice smith", "example.org")]
    [InlineData("<\"a\\\"b\\\\c>@d\"@example.org>", "\"a\\\"b\\\\c>@d\"@example.org", "a\"b\\c>@d", "example.org")]
    [InlineData("<@relay.example,@[192.0.2.1]:alice@example.org>", "alice@example.org", "alice", "example.org")]
    [InlineData("<alice@[192.0.2.1]>", "alice@[192.0.2.1]", "alice", "[192.0.2.1]")]
    [InlineData("<alice@[IPv6:2001:db8::1]>", "alice@[IPv6:2001:db8::1]", "alice", "[IPv6:2001:db8::1]")]
    [InlineData("<postmaster>", "postmaster", "postmaster", "")]
    [InlineData("<PostMaster>", "PostMaster", "PostMaster", "")]
    [InlineData("<a@localhost>", "a@localhost", "a", "localhost")]
    [InlineData("<a@3com.example>", "a@3com.example", "a", "3com.example")]
    [InlineData("<a@under_score.example>", "a@under_score.example", "a", "under_score.example")]
    [InlineData("<jürgen@bücher.example>", "jürgen@bücher.example", "jürgen", "bücher.example")]
    [InlineData("<>", "", "", "")]
    public void Paths_of_the_grammar_are_read(string text, string mailbox, string local, string domain)
    {
        var bytes = Encoding.UTF8.GetBytes(text + " SIZE=1");
        SmtpPath.TryParse(bytes, out var path, out var length).ShouldBeTrue();
        path.ShouldBe(new(mailbox, local, domain, Ascii.IsValid(mailbox)));
        length.ShouldBe(Encoding.UTF8.GetByteCount(text));
    }

    [Theory]
    [InlineData("")]
    [InlineData("<")]
    [InlineData("alice@example.org")]
    [InlineData("<alice>")]
    [InlineData("<al\u0085ice@example.org>")]
    [InlineData("<alice@ex\u009bample.org>")]
    [InlineData("<alice@example.org")]
    [InlineData("<alice@>")]
    [InlineData("<@example.org>")]
    [InlineData("<@example.org:>")]
    [InlineData("<@a,b:c@d>")]
    [InlineData("<.alice@example.org>")]
    [InlineData("<alice.@example.org>")]
    [InlineData("<al..ice@example.org>")]
    [InlineData("<al ice@example.org>")]
    [InlineData("<al(i)ce@example.org>")]
    [InlineData("<alice@@example.org>")]
    [InlineData("<alice@example..org>")]
    [InlineData("<alice@.example.org>")]
    [InlineData("<alice@example.org.>")]
    [InlineData("<alice@-example.org>")]
    [InlineData("<alice@example-.org>")]
    [InlineData("<alice@exam ple.org>")]
    [InlineData("<alice@[192.0.2]>")]
    [InlineData("<alice@[192.0.2.256]>")]
    [InlineData("<alice@[IPv6:1.2.3.4]>")]
    [InlineData("<alice@[IPv6:fe80::1%eth0]>")]
    [InlineData("<alice@[192.0.2.1>")]
    [InlineData("<\"alice@example.org>")]
    [InlineData("<\"\"@example.org>")]
    [InlineData("<\"al\\")]
    [InlineData("<\"alice\"x@example.org>")]
    [InlineData("<alice@example.org;rm>")]
    public void What_is_no_path_is_refused(string text) =>
        SmtpPath.TryParse(Encoding.UTF8.GetBytes(text), out _, out _).ShouldBeFalse();

    [Fact]
    public void Bytes_that_are_no_UTF8_are_refused() =>
        SmtpPath.TryParse("<\xff@example.org>"u8.ToArray().Select(b => b is 0xC3 or 0xBF ? (byte)0xFF : b).ToArray(), out _, out _).ShouldBeFalse();

    [Fact]
    public void Any_bytes_are_answered()
    {
        var bytes = Gen.Frequency(
            (3, Gen.Elements("<>@.\",[]:\\ a1-"u8.ToArray())), (1, Gen.Choose(0, 255).Select(i => (byte)i))).ListOf().Select(list => list.ToArray());
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(5000), Prop.ForAll(Arb.From(bytes), text =>
            !SmtpPath.TryParse([(byte)'<', .. text], out var path, out var length) || (length <= text.Length + 1 && path.Mailbox.Length <= text.Length)));
    }
}
