using System.Diagnostics;
using EventMail.Testing.Transcripts;

namespace EventMail.Protocols.Tests.Imap;

/// <summary>Commands are counted, but for those that no rate may refuse.</summary>
public sealed class ImapRateTests(ImapFixture fixture) : IClassFixture<ImapFixture>
{
    [Theory]
    [InlineData("UNAUTHENTICATE", "b OK .*")] // RFC 8437 §4: OK or BAD
    [InlineData("LOGOUT", @"\* BYE .*")]
    public async Task Who_has_had_its_share_may_leave_at_once(string command, string answer)
    {
        // The next one would be earned after thirty seconds.
        var services = fixture.ServicesWith(new(), limiter: new(new() { PerAddress = 0, PerUser = 2, ExemptLoopback = false }));
        await using var client = await fixture.LogInAsync(await fixture.NewAccountAsync(), services);
        (await client.AskAsync("a NOOP"))!.ShouldStartWith("a OK");
        (await client.AskAsync("a NOOP"))!.ShouldStartWith("a OK");
        var started = Stopwatch.GetTimestamp();
        await client.SendLineAsync($"b {command}");
        await client.ExpectMatchAsync(answer);
        Stopwatch.GetElapsedTime(started).ShouldBeLessThan(TimeSpan.FromSeconds(25));
    }
}
