using System.Text;
using EventMail.Protocols.Smtp;
using FsCheck;
using FsCheck.Fluent;

namespace EventMail.Protocols.Tests.Smtp;

/// <summary>Any bytes, in any pieces: the session answers, never crashes or hangs, and nothing is left open.</summary>
public sealed class SmtpFuzzTests
{
    private static readonly string[] Fragments =
    [
        "EHLO x\r\n", "HELO x\r\n", "LHLO x\r\n", "MAIL FROM:<a@example.com>\r\n", "MAIL FROM:<>", " SIZE=10", " BODY=BINARYMIME", " SMTPUTF8", "\r\n",
        "RCPT TO:<alice@example.org>\r\n", "RCPT TO:<team@example.org>\r\n", "RCPT TO:<", "@example.org>", "\"", "\\", "[IPv6:", "DATA\r\n",
        "BDAT 5\r\n", "BDAT 0 LAST\r\n", "BDAT 7 LAST\r\n", "BDAT 99999999999999999999\r\n", "BDAT -1\r\n", "RSET\r\n", "NOOP\r\n", "VRFY x\r\n",
        "STARTTLS\r\n", "QUIT\r\n", ".\r\n", "\r\n.\r\n", "\n.\n", "..", "\r", "\n", "\0", "Received: x\r\n", "ü", "body", " ", ":", "<", ">",
    ];

    [Fact]
    public void Random_dialogues_in_random_pieces_are_answered()
    {
        var fragment = Gen.Frequency(
            (6, Gen.Elements(Fragments).Select(Encoding.UTF8.GetBytes)),
            (1, Gen.Choose(0, 255).Select(i => (byte)i).ListOf().Select(list => list.ToArray())));
        var input = fragment.ListOf().Select(list => list.SelectMany(b => b).ToArray());
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(500).WithEndSize(120), Prop.ForAll(
            Arb.From(input), Arb.From(Gen.Choose(1, 30).ListOf()), Arb.From(Gen.Elements(true, false)),
            (bytes, cuts, lmtp) => RunAsync(bytes, [.. cuts], lmtp).Wait(SmtpHarness.Patience).ShouldBeTrue()));
    }

    [Fact]
    public async Task A_dialogue_cut_off_anywhere_leaves_nothing_open()
    {
        var whole = "EHLO x\r\nMAIL FROM:<a@example.com> SIZE=5\r\nRCPT TO:<alice@example.org>\r\nDATA\r\nSubject: x\r\n\r\n.\r\nMAIL FROM:<>\r\nRCPT TO:<bob@example.org>\r\nBDAT 3\r\nabcBDAT 2 LAST\r\ndeQUIT\r\n"u8.ToArray();
        for (var length = 0; length <= whole.Length; length++)
            await RunAsync(whole[..length], [], lmtp: false).WaitAsync(SmtpHarness.Patience);
    }

    [Fact]
    public async Task A_flood_of_rubbish_is_closed_after_ten_lines_in_little_memory()
    {
        var harness = new SmtpHarness();
        await using var client = harness.Connect();
        var noise = new byte[1 << 16];
        new Random(1).NextBytes(noise);
        var sent = 0;
        try
        {
            for (; sent < 1000 && !harness.Session.IsCompleted; sent++)
                await client.SendAsync(noise);
        }
        catch (Exception e) when (e is IOException or InvalidOperationException)
        {
            // The server has closed.
        }

        await harness.Session.WaitAsync(SmtpHarness.Patience);
        sent.ShouldBeLessThan(1000);
    }

    private static async Task RunAsync(byte[] bytes, int[] cuts, bool lmtp)
    {
        var harness = new SmtpHarness(new() { MaxMessageSize = 500 });
        var client = harness.Connect(lmtp ? "lmtp" : "smtp");
        var reading = client.ReadLineAsync();
        try
        {
            for (int at = 0, i = 0; at < bytes.Length; i++)
            {
                var count = cuts.Length == 0 ? bytes.Length : Math.Min(cuts[i % cuts.Length], bytes.Length - at);
                await client.SendAsync(bytes.AsMemory(at, count));
                at += count;
            }
        }
        catch (InvalidOperationException)
        {
            // The server has closed: QUIT, or too many errors.
        }

        (await reading).ShouldStartWith("220 ");
        client.CloseSending();
        var replies = Encoding.Latin1.GetString(await client.ReadToEndAsync()).Split("\r\n")[..^1];
        replies.ShouldAllBe(line => line.Length >= 4 && char.IsAsciiDigit(line[0]) && (line[3] == ' ' || line[3] == '-'));
        await harness.Session;
        await client.DisposeAsync();
        harness.Destination.Open.ShouldBe(0);
    }
}
