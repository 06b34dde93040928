using System.Text;
using EventMail.Protocols.Wire;
using EventMail.Testing;
using EventMail.Testing.Transcripts;

namespace EventMail.Protocols.Tests.Wire;

public sealed class TranscriptTests
{
    [Fact]
    public async Task A_transcript_plays_over_TCP_and_a_wrong_answer_names_its_line()
    {
        await using var listener = await TestListener.StartAsync(EchoAsync, TestCertificate.Tls);
        var runner = TranscriptRunner.OverTcp(listener.Port);
        runner.Values["user"] = "alice";
        await runner.RunAsync(Transcript.Named("wire", "echo"));
        runner.Values["size"].ShouldBe("12");
        runner.Values["first"].ShouldBe("one");

        var failure = await Should.ThrowAsync<InvalidOperationException>(() =>
            runner.RunAsync(Transcript.Parse("wrong.txt", "C2: something\n\nS2: else\n")));
        failure.Message.ShouldContain("wrong.txt:3: expected: else");
        failure.Message.ShouldContain("got: something");
    }

    [Fact]
    public async Task A_transcript_upgrades_to_TLS_and_sees_the_close()
    {
        await using var listener = await TestListener.StartAsync(EchoAsync, TestCertificate.Tls);
        await TranscriptRunner.OverTcp(listener.Port).RunAsync(Transcript.Parse("tls",
            """
            C: in the clear
            S: in the clear
            C: tls
            S: go ahead
            @tls
            C: encrypted
            S: encrypted
            C1: another client
            S1: another client
            @close1
            C: quit
            S$
            """));
    }

    private static async Task EchoAsync(MailConnection connection)
    {
        var line = new Line();
        while (await connection.ReadLineAsync(line, 1000, TimeSpan.FromSeconds(10)) == LineStatus.Line)
        {
            if (line.Span.SequenceEqual("quit"u8))
            {
                return;
            }

            if (line.Span.SequenceEqual("tls"u8))
            {
                await connection.StartTlsAsync("go ahead\r\n"u8.ToArray(), CancellationToken.None);
            }
            else
            {
                await connection.Output.WriteAsync(Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(line.Span) + "\r\n"));
            }
        }
    }
}
