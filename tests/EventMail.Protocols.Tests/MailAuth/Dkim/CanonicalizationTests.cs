using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using EventMail.Protocols.MailAuth.Dkim;
using FsCheck;
using FsCheck.Fluent;

namespace EventMail.Protocols.Tests.MailAuth.Dkim;

public sealed class CanonicalizationTests
{
    // RFC 6376 §3.4.5.
    [Theory]
    [InlineData("Simple", " C \r\nD \t E\r\n\r\n\r\n", " C \r\nD \t E\r\n")]
    [InlineData("Relaxed", " C \r\nD \t E\r\n\r\n\r\n", " C\r\nD E\r\n")]
    // §3.4.3: "if there is no body or no trailing CRLF on the message body, a CRLF is added"; §3.4.4 has it for a body that is not empty.
    [InlineData("Simple", "", "\r\n")]
    [InlineData("Relaxed", "", "")]
    [InlineData("Relaxed", "\r\n\r\n", "")]
    [InlineData("Relaxed", " \t\r\n  ", "")]
    [InlineData("Simple", " \r\n\r\n", " \r\n")]
    [InlineData("Simple", "x", "x\r\n")]
    [InlineData("Relaxed", "x ", "x\r\n")]
    // CR and LF that are no CRLF are octets as others.
    [InlineData("Simple", "a\r\r\n\n\r\n", "a\r\r\n\n\r\n")]
    [InlineData("Relaxed", "a \r\r\n b\n\r\n", "a \r\r\n b\n\r\n")]
    public void A_body_is_hashed_as_the_RFC_shows_it(string method, string body, string canonical) =>
        Hash(method, [Encoding.Latin1.GetBytes(body)], null).ShouldBe(Sha256(canonical));

    [Fact]
    public void A_body_in_any_pieces_has_the_hash_of_the_whole_and_of_the_rule_in_its_plain_form()
    {
        var octets = Gen.Elements('\r', '\n', ' ', '\t', 'a', 'b');
        var bodies = Gen.Elements("\r\n", "\r\n", " ", "\t", "a", "bc", "\r", "\n", "\r\n\r\n", new string('x', 5000), "one two  three four\tfive six seven eight nine ten").ListOf().Select(string.Concat);
        var cases = from body in Gen.OneOf(bodies, octets.ArrayOf().Select(chars => new string(chars)))
                    from size in Gen.OneOf(Gen.Choose(1, 9), Gen.Choose(30, 100), Gen.Constant(20_000))
                    from limit in Gen.Choose(-1, 40)
                    select (body, size, limit);
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(1_000), Prop.ForAll(cases.ToArbitrary(), c =>
        {
            var pieces = Encoding.Latin1.GetBytes(c.body).Chunk(c.size).ToArray();
            long? limit = c.limit < 0 ? null : c.limit;
            Hash("Simple", pieces, limit).ShouldBe(Sha256(Cut(Simple(c.body), limit)));
            Hash("Relaxed", pieces, limit).ShouldBe(Sha256(Cut(Relaxed(c.body), limit)));
        }));
    }

    [Fact]
    public void A_header_field_has_the_hash_of_the_rule_in_its_plain_form() // RFC 6376 §3.4.2
    {
        var values = Gen.Elements("a", "Bc", " ", "\t", "\r\n ", "\r\n\t", "\r", ":", "word and  word").ListOf().Select(string.Concat);
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(500), Prop.ForAll(values.ToArbitrary(), value =>
        {
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            HeaderCanonicalizer.AppendField(hash, Encoding.Latin1.GetBytes($"SubJect \t:{value}\r\n"), Canonicalization.Relaxed);
            var unfolded = Regex.Replace($"{value}", "\r\n(?=[ \t])", "");
            Convert.ToHexString(hash.GetHashAndReset()).ShouldBe(Sha256("subject:" + Regex.Replace(unfolded, "[ \t]+", " ").Trim(' ') + "\r\n"));
        }));
    }

    [Fact]
    public async Task Whatever_is_signed_verifies_and_one_octet_changed_in_it_does_not()
    {
        var texts = Gen.Elements("a", "B", " ", "\t", "\r\n", "=", ";", ".", "\u00e9", "word ", "\r\n\r\n").ListOf().Select(string.Concat);
        var cases = (from subject in texts from body in texts from position in Gen.Choose(0, 10_000) select (subject, body, position)).Sample(60);
        foreach (var (subject, body, position) in cases)
        {
            var mail = Mail.Of("From: a@example.org\r\nSubject: s" + subject.Replace("\r\n", "\r\n ", StringComparison.Ordinal) + "\r\n\r\n" + body + "x\r\n");
            var signed = await mail.SignAsync();
            (await signed.VerifyAsync(TestKeys.Dns())).ShouldAllBe(result => result.Verdict == DkimVerdict.Pass);

            // A letter in the body, or in From.
            var places = Enumerable.Range(0, signed.Body.Length).Where(i => char.IsAsciiLetter((char)signed.Body[i])).ToArray();
            var changed = signed.Body.ToArray();
            changed[places[position % places.Length]] ^= 0x20;
            (await (signed with { Body = changed }).VerifyAsync(TestKeys.Dns())).ShouldAllBe(result => result.Verdict == DkimVerdict.Fail);
            (await signed.Replace("a@example.org", "A@example.org").VerifyAsync(TestKeys.Dns())).ShouldAllBe(result => result.Verdict == DkimVerdict.Fail);
        }
    }

    [Fact]
    public void Millions_of_empty_lines_are_held_as_a_number()
    {
        using var hasher = BodyHasher.Create(Canonicalization.Relaxed, null);
        var lines = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("\r\n", 50_000)));
        hasher.Append("a"u8);
        for (var i = 0; i < 20; i++)
            hasher.Append(lines);
        hasher.Append("b"u8);
        Convert.ToHexString(hasher.Finish()).ShouldBe(Sha256("a" + string.Concat(Enumerable.Repeat("\r\n", 1_000_000)) + "b\r\n"));
        hasher.Total.ShouldBe(2_000_004);
    }

    private static string Simple(string body) => Regex.Replace(body, "(\r\n)*\\z", "") + "\r\n";

    private static string Relaxed(string body)
    {
        var lines = Regex.Replace(Regex.Replace(body, "[ \t]+(?=\r\n|\\z)", ""), "[ \t]+", " ");
        lines = Regex.Replace(lines, "(\r\n)*\\z", "");
        return lines.Length == 0 ? "" : lines + "\r\n";
    }

    private static string Cut(string text, long? limit) => limit is { } length && length < text.Length ? text[..(int)length] : text;

    private static string Hash(string method, byte[][] pieces, long? limit)
    {
        using var hasher = BodyHasher.Create(Enum.Parse<Canonicalization>(method), limit);
        foreach (var piece in pieces)
            hasher.Append(piece);
        return Convert.ToHexString(hasher.Finish());
    }

    private static string Sha256(string text) => Convert.ToHexString(SHA256.HashData(Encoding.Latin1.GetBytes(text)));
}
