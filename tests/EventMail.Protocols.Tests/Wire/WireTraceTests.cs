using System.Text;
using EventMail.Protocols.Wire;
using Microsoft.Extensions.Logging;

namespace EventMail.Protocols.Tests.Wire;

public sealed class WireTraceTests
{
    [Theory]
    [InlineData("EHLO client.example.org", "EHLO client.example.org")]
    [InlineData("AUTH PLAIN AGFsaWNlAHNlY3JldA==", "AUTH PLAIN")]
    [InlineData("auth LOGIN", "auth LOGIN")]
    [InlineData("PASS secret", "PASS")]
    [InlineData("APOP alice c4c9334bac560ecc979e58001b3e22fb", "APOP alice")]
    [InlineData("a1 LOGIN alice secret", "a1 LOGIN")]
    [InlineData("a1 AUTHENTICATE PLAIN AGFsaWNlAHNlY3JldA==", "a1 AUTHENTICATE PLAIN")]
    [InlineData("a1 SELECT INBOX", "a1 SELECT INBOX")]
    [InlineData("", "")]
    public void A_trace_shows_commands_but_no_password(string line, string shown) =>
        Encoding.ASCII.GetBytes(line)[..TraceRedaction.VisibleLength(Encoding.ASCII.GetBytes(line))].ShouldBe(Encoding.ASCII.GetBytes(shown));

    // A client that does not wait, and whose login was refused: what it sends behind comes as commands.
    [Theory]
    [InlineData("AUTH PLAIN|AGFsaWNlAHNlY3JldA==|QUIT", "AUTH PLAIN|[20 bytes, secret]|QUIT")]
    [InlineData("AUTH LOGIN|YWxpY2U=|c2VjcmV0|*|c2VjcmV0|QUIT|MAIL", "AUTH LOGIN|[8 bytes, secret]|[8 bytes, secret]|*|[8 bytes, secret]|QUIT|MAIL")]
    [InlineData("a1 AUTHENTICATE PLAIN|AGFsaWNlAHNlY3JldA==|a2 NOOP|rubbish", "a1 AUTHENTICATE PLAIN|[20 bytes, secret]|a2 NOOP|rubbish")]
    [InlineData("rubbish|NOOP|more", "rubbish|NOOP|more")]
    public void Responses_behind_a_login_that_was_refused_are_secrets(string lines, string shown)
    {
        var log = new ListLogger();
        var trace = new WireTrace(log, new("c1", "test", new(System.Net.IPAddress.Loopback, 1), new(System.Net.IPAddress.Loopback, 2)));
        foreach (var line in lines.Split('|'))
            trace.Received(Encoding.ASCII.GetBytes(line), isCommand: line is "QUIT" or "NOOP" or "MAIL" || line.Contains(' '));
        log.Lines.Select(line => line[line.IndexOf("C: ", StringComparison.Ordinal)..][3..]).ShouldBe(shown.Split('|'));
    }

    [Fact]
    public async Task A_trace_is_switched_on_and_off_while_the_connection_is_open()
    {
        var log = new ListLogger();
        var traces = new WireTraces(log);
        var (connection, _) = WireHarness.Open(traces: traces);
        await using (connection)
        {
            connection.Trace.ShouldBeNull();
            var other = new WireTraceFilter(ConnectionId: "another");
            traces.Start(other);
            connection.Trace.ShouldBeNull();

            var filter = new WireTraceFilter(Client: System.Net.IPAddress.Loopback, Listener: "test");
            traces.Start(filter);
            connection.Trace!.Received("PASS secret\r\n"u8, isCommand: true);
            connection.Trace.Sent("+OK \x07\x1b[0m\r\n"u8);
            connection.Trace.ReceivedBody(12);
            traces.Stop(filter).ShouldBeTrue();
            connection.Trace.ShouldBeNull();
            traces.Stop(filter).ShouldBeFalse();
            traces.Active.ShouldBe([other]);
        }

        log.Lines.ShouldBe([
            "test 127.0.0.1 test-1 C: PASS",
            "test 127.0.0.1 test-1 S: +OK \\x07\\x1b[0m",
            "test 127.0.0.1 test-1 C: [12 bytes of content]",
        ]);
    }

    private sealed class ListLogger : ILogger
    {
        public List<string> Lines { get; } = [];

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Lines.Add(formatter(state, exception));
    }
}
