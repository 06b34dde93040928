using System.Text;
using EventMail.Projections.Accounts;
using EventMail.Protocols.Sasl;
using EventMail.Protocols.Tests.Wire;
using EventMail.Protocols.Wire;
using EventMail.Testing.Transcripts;
using FsCheck;
using FsCheck.Fluent;

namespace EventMail.Protocols.Tests.Sasl;

/// <summary>The base64 dialogue, with a mechanism that asks for two responses and keeps what it hears.</summary>
public sealed class SaslFramingTests
{
    [Fact]
    public async Task A_challenge_is_base64_behind_the_protocols_prefix_and_so_is_its_response()
    {
        var run = new Run();
        await run.Client.ExpectAsync("334 Zmlyc3Q=");
        await run.Client.SendLineAsync("YWxpY2U=");
        await run.Client.ExpectAsync("334 c2Vjb25k");
        await run.Client.SendLineAsync("c2VjcmV0");
        (await run.Outcome).ShouldBe(new SaslOutcome(SaslEnd.Done, Two.Result));
        run.Exchange.Heard.ShouldBe([null, "alice", "secret"]);
    }

    [Fact]
    public async Task An_initial_response_spares_the_first_challenge()
    {
        var run = new Run("YWxpY2U=");
        await run.Client.ExpectAsync("334 c2Vjb25k");
        await run.Client.SendLineAsync("");
        (await run.Outcome).End.ShouldBe(SaslEnd.Done);
        run.Exchange.Heard.ShouldBe(["alice", ""]);
    }

    [Fact]
    public async Task An_equals_sign_is_an_initial_response_of_no_length() // RFC 4954 §4
    {
        var run = new Run("=");
        await run.Client.ExpectAsync("334 c2Vjb25k");
        await run.Client.SendLineAsync("eA==");
        (await run.Outcome).End.ShouldBe(SaslEnd.Done);
        run.Exchange.Heard.ShouldBe(["", "x"]);
    }

    [Fact]
    public async Task A_star_cancels_whenever_it_comes() // RFC 4954 §4, RFC 5034 §4, RFC 3501 §6.2.2
    {
        var run = new Run();
        await run.Client.ExpectMatchAsync("334 .*");
        await run.Client.SendLineAsync("*");
        (await run.Outcome).End.ShouldBe(SaslEnd.Cancelled);

        run = new Run("eA==");
        await run.Client.ExpectMatchAsync("334 .*");
        await run.Client.SendLineAsync("*");
        (await run.Outcome).End.ShouldBe(SaslEnd.Cancelled);
        run.Exchange.Heard.Count.ShouldBe(1);
    }

    [Theory]
    [InlineData("!!!!")]
    [InlineData("YWxpY2U")] // no padding
    [InlineData("YWxpY2U==")]
    [InlineData("YWxp=Y2U")]
    [InlineData("YWxpY2U=YWxp")] // padding in the middle
    [InlineData("YWxp Y2U=")]
    [InlineData(" YWxpY2U=")]
    [InlineData("YWxpY2U= ")]
    [InlineData("YWxpY2\tU=")]
    [InlineData("YQ\u00E9=")]
    [InlineData("=")]
    [InlineData("====")]
    [InlineData("**")]
    [InlineData("_-__")] // the alphabet of URLs
    [InlineData("\0\0\0\0")]
    public async Task What_is_not_base64_is_malformed_and_never_reaches_the_mechanism(string line)
    {
        var run = new Run();
        await run.Client.ExpectMatchAsync("334 .*");
        await run.Client.SendLineAsync(line);
        (await run.Outcome).End.ShouldBe(SaslEnd.Malformed);
        run.Exchange.Heard.ShouldBe([null]);

        if (line != "=")
        {
            run = new Run(line);
            (await run.Outcome).End.ShouldBe(SaslEnd.Malformed);
            run.Exchange.Heard.ShouldBeEmpty();
        }
    }

    [Fact]
    public async Task MaxResponseLine_is_taken_and_one_octet_more_is_too_long_and_read_to_its_end()
    {
        var run = new Run();
        await run.Client.ExpectMatchAsync("334 .*");
        await run.Client.SendLineAsync(new string('A', SaslFraming.MaxResponseLine));
        await run.Client.ExpectMatchAsync("334 .*");
        await run.Client.SendLineAsync(new string('A', SaslFraming.MaxResponseLine + 1));
        (await run.Outcome).End.ShouldBe(SaslEnd.LineTooLong);
        run.Exchange.Heard[1]!.Length.ShouldBe(SaslFraming.MaxResponseLine / 4 * 3);

        // The session is in step: what comes next is a command again.
        await run.Client.SendLineAsync("NOOP");
        var next = new Line();
        (await run.Connection.ReadLineAsync(next, 100, WireHarness.Patience)).ShouldBe(LineStatus.Line);
        next.ToString().ShouldBe("NOOP");
    }

    [Fact]
    public async Task A_challenge_that_is_not_answered_times_out()
    {
        var run = new Run(timeout: TimeSpan.FromMilliseconds(50));
        (await run.Outcome).End.ShouldBe(SaslEnd.TimedOut);
    }

    [Fact]
    public async Task A_client_that_goes_away_closes_and_a_server_that_stops_says_so()
    {
        var run = new Run();
        await run.Client.DisposeAsync();
        (await run.Outcome).End.ShouldBe(SaslEnd.Closed);

        run = new Run();
        await run.Client.ExpectMatchAsync("334 .*");
        run.Connection.Stop();
        (await run.Outcome).End.ShouldBe(SaslEnd.Stopping);
    }

    [Fact]
    public async Task Last_words_go_as_one_challenge_more_that_only_an_empty_line_answers() // RFC 4422 §3.7.1
    {
        var run = new Run("eA==", lastWords: "v=abc");
        await run.Client.ExpectMatchAsync("334 .*");
        await run.Client.SendLineAsync("eA==");
        await run.Client.ExpectAsync("334 dj1hYmM=");
        await run.Client.SendLineAsync("");
        (await run.Outcome).End.ShouldBe(SaslEnd.Done);

        foreach (var (answer, end) in new[] { ("eA==", SaslEnd.Malformed), ("*", SaslEnd.Cancelled) })
        {
            run = new Run("eA==", lastWords: "v=abc");
            await run.Client.ExpectMatchAsync("334 .*");
            await run.Client.SendLineAsync("eA==");
            await run.Client.ExpectAsync("334 dj1hYmM=");
            await run.Client.SendLineAsync(answer);
            (await run.Outcome).End.ShouldBe(end);
        }
    }

    [Fact]
    public void Any_lines_of_any_octets_end_the_dialogue_without_a_fault() => Check.One(
        Config.QuickThrowOnFailure.WithMaxTest(300),
        Prop.ForAll<byte[][]>(lines =>
        {
            var run = new Run();
            foreach (var line in lines)
            {
                byte[] bytes = [.. line.Where(b => b != '\n'), .. "\r\n"u8];
                run.Client.SendAsync(bytes).Wait(WireHarness.Patience);
            }

            run.CloseSending();
            run.Outcome.Wait(WireHarness.Patience).ShouldBeTrue();
        }));

    /// <summary>A run of the framing over a connection in memory.</summary>
    private sealed class Run
    {
        private readonly Stream _stream;

        public Run(string? initial = null, string lastWords = "", TimeSpan? timeout = null)
        {
            (Connection, _stream) = WireHarness.Open();
            Client = new(_stream);
            Exchange = new(lastWords);
            Outcome = SaslFraming.RunAsync(
                Connection, Exchange, initial is null ? default(ReadOnlyMemory<byte>?) : Encoding.UTF8.GetBytes(initial), SaslFraming.Smtp,
                timeout ?? WireHarness.Patience, default).AsTask();
        }

        public MailConnection Connection { get; }

        public ScriptedClient Client { get; }

        public Two Exchange { get; }

        public Task<SaslOutcome> Outcome { get; }

        public void CloseSending() => _stream.Dispose();
    }

    /// <summary>Asks "first", then "second", then is done.</summary>
    private sealed class Two(string lastWords) : SaslExchange
    {
        public static readonly LoginResult Result = new(LoginStatus.BadCredentials, null, "heard enough", null);

        public List<string?> Heard { get; } = [];

        public override string Mechanism => "TWO";

        public override ValueTask<SaslStep> StepAsync(ReadOnlyMemory<byte>? response, CancellationToken cancel)
        {
            Heard.Add(response is { } bytes ? Encoding.Latin1.GetString(bytes.Span) : null);
            return new(Heard.Count(heard => heard is not null) switch
            {
                0 => new(SaslState.Challenge, "first"u8.ToArray(), default),
                1 => new(SaslState.Challenge, "second"u8.ToArray(), default),
                _ => new SaslStep(SaslState.Done, Encoding.ASCII.GetBytes(lastWords), Result),
            });
        }
    }
}
