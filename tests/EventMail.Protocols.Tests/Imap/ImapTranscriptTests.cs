using EventMail.Testing;
using EventMail.Testing.Transcripts;

namespace EventMail.Protocols.Tests.Imap;

/// <summary>Each file of Transcripts/imap against the server, with accounts of its own: {user}, and {bob} and {carol} where it names them.</summary>
public sealed class ImapTranscriptTests(ImapFixture fixture) : IClassFixture<ImapFixture>
{
    public static TheoryData<string> Transcripts => [.. Transcript.Names("imap")];

    [Theory]
    [MemberData(nameof(Transcripts))]
    public async Task The_server_says_what_the_transcript_says(string name)
    {
        var account = await fixture.NewAccountAsync();
        var runner = new TranscriptRunner(listener => Task.FromResult(new ScriptedClient(fixture.Open(listener).Client)))
        {
            Values = { ["user"] = account.Address, ["pass"] = TestMail.Password, ["admin"] = fixture.Administrator.Address },
        };
        var transcript = Transcript.Named("imap", name);
        foreach (var other in new[] { "bob", "carol" })
        {
            if (transcript.Steps.Any(step => step.Text.Contains($"{{{other}}}", StringComparison.Ordinal)))
                runner.Values[other] = (await fixture.NewAccountAsync()).Address;
        }

        await runner.RunAsync(transcript);
    }
}
