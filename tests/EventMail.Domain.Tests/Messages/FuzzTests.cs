using System.Text;
using EventMail.Domain.Messages;
using FsCheck;
using FsCheck.Fluent;
using Microsoft.FSharp.Core;

namespace EventMail.Domain.Tests.Messages;

/// <summary>Random input with fixed seeds; inputs that once showed a fault are kept in Golden/regressions.</summary>
public class FuzzTests
{
    private static readonly string[] Pieces =
    [
        "\r\n", "\r\n", "\r\n", "\n", "\r", "\r\n\r\n", "\r\n\r\n", " ", "\t", "\0", "\xe4", "\xff\xfe", "x", "text", "-", "--",
        "--a", "--a", "--a\r\n", "--a\r\n\r\n", "\r\n--a--", "--b", "--b--\r\n", "--ab", "boundary=a", "boundary=\"b\"", "boundary=",
        "MIME-Version: 1.0\r\n", "Content-Type: multipart/mixed; boundary=a\r\n", "Content-Type: multipart/digest; boundary=b\r\n\r\n",
        "Content-Type: message/rfc822\r\n", "Content-Type: message/rfc822\r\n\r\n", "Content-Type: message/global\r\n\r\n",
        "Content-Type: text/html; charset=utf-8\r\n", "Content-Type: ", "Content-Transfer-Encoding: base64\r\n",
        "Content-Transfer-Encoding: quoted-printable\r\n", "Content-Disposition: attachment; filename*0*=utf-8''%e4; filename*1=x\r\n",
        "Content-Language: a, b\r\n", "Subject: ", "From: ", "To: a@b, c <d@e>\r\n", "Date: Mon, 1 Jan 2024 10:00:00 +0100\r\n",
        "Message-ID: <a@b>\r\n", "References: <a@b> <", "(", ")", "\"", "\\", "<", ">", "@", ",", ";", ":", "[", "]", ".", "*", "'", "%",
        "=?utf-8?Q?=E4?=", "=?iso-2022-jp?B?GyRC?=", "=?", "?=", "=\r\n", "=4", "&amp;", "&#", "<script>", "</script>", "<!--", "-->",
    ];

    private static readonly Gen<byte[]> MimeLike =
        from pieces in Gen.ArrayOf(Gen.Elements(Pieces))
        select Encoding.Latin1.GetBytes(string.Concat(pieces));

    private static readonly Gen<byte[]> RandomBytes =
        from values in Gen.ArrayOf(Gen.Choose(0, 255))
        select values.Select(v => (byte)v).ToArray();

    [Fact]
    public void Random_pieces_of_mail_keep_every_invariant() =>
        ForAll(MimeLike, 1500, 200, message => Invariants.Check(message));

    [Fact]
    public void Random_bytes_keep_every_invariant() =>
        ForAll(RandomBytes, 400, 300, message => Invariants.Check(message));

    [Fact]
    public void Any_split_of_the_input_gives_the_same_result() =>
        ForAll(
            from message in MimeLike
            from sizes in Gen.ArrayOf(Gen.Choose(0, 9))
            select (message, sizes),
            1000,
            200,
            input =>
            {
                var expected = Invariants.Describe(MessageReader.Read(input.message));
                Invariants.Describe(ReadInPieces(input.message, input.sizes)).ShouldBe(expected);
                Invariants.Describe(ReadInPieces(input.message, [])).ShouldBe(expected);
            });

    [Theory]
    [InlineData("plain", "7bit", "utf-8")]
    [InlineData("plain", "quoted-printable", "x-unknown")]
    [InlineData("html", "quoted-printable", "windows-1252")]
    [InlineData("html", "base64", "shift_jis")]
    [InlineData("html", "8bit", "iso-2022-jp")]
    public void Text_decodes_the_same_in_any_pieces(string subtype, string encoding, string charset)
    {
        var header = $"Content-Type: text/{subtype}; charset={charset}\nContent-Transfer-Encoding: {encoding}\n\n";
        var part = PartMap.Of(MessageReader.Read(Wire.Bytes(header + new string('x', 500)))).Root;
        ForAll(
            from body in MimeLike
            from size in Gen.Choose(1, 9)
            select (body, size),
            300,
            200,
            input => Decode(part, input.body, input.size).ShouldBe(Decode(part, input.body, input.body.Length + 1)));

        static string Decode(PartMapNode part, byte[] body, int size)
        {
            var text = new StringBuilder();
            var decoder = new TextPartDecoder(part);
            for (var at = 0; at < body.Length; at += size)
                decoder.Feed(body.AsSpan(at, Math.Min(size, body.Length - at)), Add);
            decoder.Finish(Add);
            return text.ToString();

            bool Add(ReadOnlySpan<char> piece, DecodedTextKind kind)
            {
                text.Append(piece);
                return true;
            }
        }
    }

    [Fact]
    public void Narrow_limits_keep_every_invariant()
    {
        var limits = new MessageLimits
        {
            MaxNestingDepth = 2,
            MaxParts = 4,
            MaxHeaderBytes = 60,
            MaxHeaderFields = 3,
            MaxParameters = 1,
            MaxAddresses = 2,
            MaxBoundaryLength = 1,
        };
        ForAll(MimeLike, 1000, 200, message => Invariants.Check(message, limits));
    }

    [Fact]
    public void Every_truncation_of_the_odd_messages_keeps_every_invariant()
    {
        foreach (var (_, message) in Corpus.Messages.Where(m => m.Key.StartsWith("torture/", StringComparison.Ordinal) && m.Value.Length < 1000))
        {
            for (var length = 0; length < message.Length; length++)
                Invariants.Check(message[..length]);
        }
    }

    [CorpusFact]
    public void Truncated_and_damaged_real_messages_keep_every_invariant()
    {
        var random = new System.Random(20260801);
        foreach (var message in Corpus.Messages.Values.Where(m => m.Length < 20_000))
        {
            for (var i = 0; i < 10; i++)
            {
                var damaged = message[..random.Next(message.Length)];
                for (var hits = random.Next(8); hits > 0 && damaged.Length > 0; hits--)
                    damaged[random.Next(damaged.Length)] = (byte)random.Next(256);
                Invariants.Check(damaged);
                var split = Enumerable.Range(0, 50).Select(_ => random.Next(200)).ToArray();
                Invariants.Describe(ReadInPieces(damaged, split)).ShouldBe(Invariants.Describe(MessageReader.Read(damaged)));
            }
        }
    }

    [Fact]
    public void Inputs_that_once_showed_a_fault_keep_every_invariant()
    {
        var files = Directory.GetFiles(Path.Combine(Corpus.GoldenFolder, "regressions"), "*.bin");
        files.ShouldNotBeEmpty();
        foreach (var file in files)
        {
            var message = File.ReadAllBytes(file);
            Invariants.Check(message);
            Invariants.Describe(ReadInPieces(message, [])).ShouldBe(Invariants.Describe(MessageReader.Read(message)));
        }
    }

    [Fact]
    public void The_parsers_of_field_bodies_never_throw() =>
        ForAll(MimeLike, 1500, 100, field =>
        {
            var addresses = new List<Address>();
            AddressList.Read(new Octets(field), addresses, 1000);
            addresses.ShouldAllBe(a => a.IsGroupEnd || !a.Mailbox.IsNil);
            EncodedWords.Decode(field).ShouldNotBeNull();
            Rfc2231.DecodeExtended(field).ShouldNotBeNull();
            MessageIds.All(new Octets(field)).ShouldNotBeNull();
            MessageDate.TryParse(field, out _);
            PartMap.TryRead(field, out _);
            Charsets.Decode(field, field).ShouldNotBeNull();
        });

    [Theory]
    [InlineData("<\"")]
    [InlineData("a@b <")]
    [InlineData("a@b(")]
    [InlineData("\"")]
    [InlineData("x:")]
    [InlineData("a,")]
    [InlineData("=?a?q?")]
    [InlineData("=?utf-8?Q?x ")]
    public void Looking_ahead_in_field_bodies_stays_in_proportion(string piece)
    {
        var field = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat(piece, 20_000)));
        LookAhead.Bytes = 0;

        AddressList.Read(new Octets(field), [], 100_000);
        MessageIds.All(new Octets(field));
        LookAhead.Bytes.ShouldBeLessThanOrEqualTo(2 * field.Length);

        LookAhead.Bytes = 0;
        EncodedWords.Decode(field);
        LookAhead.Bytes.ShouldBeLessThanOrEqualTo(20_000L * EncodedWords.MaxWord);
    }

    internal static Message ReadInPieces(byte[] message, int[] sizes)
    {
        var reader = new MessageReader(MessageLimits.Default);
        var at = 0;
        foreach (var size in sizes)
        {
            var end = Math.Min(at + size, message.Length);
            reader.Feed(message.AsSpan(at, end - at));
            at = end;
        }
        // Byte by byte where no sizes are given, else the rest at once.
        while (sizes.Length == 0 && at < message.Length)
            reader.Feed(message.AsSpan(at++, 1));
        reader.Feed(message.AsSpan(at));
        return reader.Finish();
    }

    private static void ForAll<T>(Gen<T> input, int tests, int size, Action<T> check)
    {
        var config = Config.QuickThrowOnFailure.WithMaxTest(tests).WithEndSize(size)
            .WithReplay(FSharpOption<Replay>.Some(new Replay(new Rnd(1730UL, 20260801UL | 1), FSharpOption<int>.None)));
        Prop.ForAll(input.ToArbitrary(), check).Check(config);
    }
}
