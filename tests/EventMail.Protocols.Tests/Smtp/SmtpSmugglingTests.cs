using System.Text;
using EventMail.Protocols.Smtp;

namespace EventMail.Protocols.Tests.Smtp;

/// <summary>One message in, one message stored: whatever a relay in front of us took for the end of it.</summary>
public sealed class SmtpSmugglingTests
{
    public static TheoryData<string> Vectors => DataScannerTests.SmugglingVectors;

    [Theory]
    [MemberData(nameof(Vectors))]
    public async Task A_second_message_inside_the_first_is_content(string vector)
    {
        var harness = new SmtpHarness();
        await using var client = await harness.BeginDataAsync();
        await client.SendAsync(Encoding.Latin1.GetBytes($"Subject: first\r\n\r\nbody{vector}{Inner}\r\n.\r\n"));
        await client.ExpectMatchAsync("250 2\\.0\\.0 Message accepted .*");
        (await client.AskAsync("NOOP")).ShouldBe("250 2.0.0 Ok");
        var delivered = harness.Destination.Deliveries.ShouldHaveSingleItem();
        delivered.ReversePath.ShouldBe("sender@example.com");
        delivered.Sent.ShouldContain("MAIL FROM:<evil@example.com>");
        delivered.Sent.Replace("\r\n", "", StringComparison.Ordinal).ShouldNotContain("\n");
    }

    [Theory]
    [MemberData(nameof(Vectors))]
    public async Task Where_bare_line_ends_are_refused_the_message_is_read_to_its_end_and_refused(string vector)
    {
        var harness = new SmtpHarness(new() { BareLineEnds = BareLineEnds.Refuse });
        await using var client = await harness.BeginDataAsync();
        await client.SendAsync(Encoding.Latin1.GetBytes($"Subject: first\r\n\r\nbody{vector}{Inner}\r\n.\r\n"));
        var bare = vector.Replace("\r\n", "", StringComparison.Ordinal).IndexOfAny(['\r', '\n']) >= 0;
        await client.ExpectMatchAsync(bare ? "550 5\\.6\\.11 Bare CR or LF .*" : "250 2\\.0\\.0 Message accepted .*");
        (await client.AskAsync("NOOP")).ShouldBe("250 2.0.0 Ok");
        harness.Destination.Deliveries.Count.ShouldBe(bare ? 0 : 1);
        harness.Destination.Open.ShouldBe(0);
    }

    [Fact]
    public async Task A_command_line_that_ends_in_a_bare_LF_is_refused_where_bare_line_ends_are()
    {
        await using var strict = await new SmtpHarness(new() { BareLineEnds = BareLineEnds.Refuse }).GreetAsync();
        await strict.SendAsync("NOOP\n"u8.ToArray());
        await strict.ExpectAsync("500 5.5.2 Lines must end in CRLF");
        await using var lenient = await new SmtpHarness().GreetAsync();
        await lenient.SendAsync("NOOP\n"u8.ToArray());
        await lenient.ExpectAsync("250 2.0.0 Ok");
    }

    private const string Inner =
        "MAIL FROM:<evil@example.com>\r\nRCPT TO:<bob@example.org>\r\nDATA\r\nFrom: admin@example.org\r\n\r\nsmuggled";
}
