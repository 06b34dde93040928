using EventMail.Testing;
using EventMail.Testing.Transcripts;

namespace EventMail.Host.Tests.Cli;

public sealed class TraceCommandTests(CliServer cli) : IClassFixture<CliServer>
{
    [Fact]
    public async Task A_trace_is_switched_on_and_off_while_the_server_runs_and_shows_no_password()
    {
        await using var open = await ScriptedClient.ConnectAsync(cli.Server["pop3"]);
        await open.ReadLineAsync();
        await open.AskAsync("NOOP");
        (await cli.DoAsync("trace", "on", "--listener", "pop3")).ShouldBe("tracing listener=pop3");
        await WaitForAsync("Wire traces: listener=pop3");
        await open.AskAsync("USER somebody");
        await open.AskAsync("PASS verysecret");
        await using (var imap = await ScriptedClient.ConnectAsync(cli.Server["imap"]))
        {
            await imap.ReadLineAsync();
            await imap.AskAsync("a NOOP");
        }

        (await cli.DoAsync("trace", "show")).ShouldBe("listener=pop3");
        await cli.DoAsync("trace", "off");
        await WaitForAsync("Wire traces: nothing");
        await open.AskAsync("USER afterwards");

        var log = cli.Server.Log;
        log.ShouldContain("C: USER somebody");
        log.ShouldContain("C: PASS");
        log.ShouldNotContain("verysecret");
        log.ShouldNotContain("C: a NOOP");
        log.ShouldNotContain("C: USER afterwards");
        (await cli.FailAsync(2, "trace", "on", "--client", "somewhere")).ShouldContain("IP address");
    }

    private Task WaitForAsync(string text) => Waiting.UntilAsync(() => cli.Server.Log.Contains(text), () => cli.Server.Log, text);
}
