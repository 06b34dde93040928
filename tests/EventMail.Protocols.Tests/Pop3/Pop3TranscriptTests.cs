using EventMail.Testing;
using EventMail.Testing.Transcripts;

namespace EventMail.Protocols.Tests.Pop3;

/// <summary>Each file of Transcripts/pop3 against the server, with an account of its own that has three messages.</summary>
public sealed class Pop3TranscriptTests(Pop3Fixture fixture) : IClassFixture<Pop3Fixture>
{
    public static TheoryData<string> Transcripts => [.. Transcript.Names("pop3")];

    [Theory]
    [MemberData(nameof(Transcripts))]
    public async Task The_server_says_what_the_transcript_says(string name)
    {
        var account = await fixture.NewAccountAsync();
        var runner = new TranscriptRunner(listener => Task.FromResult(fixture.Open(listener)))
        {
            Values = { ["user"] = account.Address, ["password"] = TestMail.Password },
        };
        await runner.RunAsync(Transcript.Named("pop3", name));
    }
}
