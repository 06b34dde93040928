using EventMail.Projections;
using EventMail.Projections.Accounts;
using EventMail.Testing;
using EventMail.Testing.Transcripts;

namespace EventMail.Protocols.Tests.Smtp.Submission;

/// <summary>Each file of Transcripts/submission against the server, with two accounts of its own and an alias that leads to the first.</summary>
public sealed class SubmissionTranscriptTests(SubmissionFixture fixture) : IClassFixture<SubmissionFixture>
{
    public static TheoryData<string> Transcripts => [.. Transcript.Names("submission")];

    [Theory]
    [MemberData(nameof(Transcripts))]
    public async Task The_server_says_what_the_transcript_says(string name)
    {
        var (account, other) = (await fixture.Mail.NewAccountAsync(), await fixture.Mail.NewAccountAsync());
        var alias = $"alias-{name}@example.test";
        (await new DomainService(fixture.Mail.Log, fixture.Mail.Directory).AddAliasAsync(alias, [account.Address], Actor.System, default))
            .Rejection.ShouldBeNull();
        var runner = new TranscriptRunner(listener => Task.FromResult(fixture.Open(listener)))
        {
            Values =
            {
                ["user"] = account.Address,
                ["name"] = account.Address.Split('@')[0],
                ["other"] = other.Address,
                ["alias"] = alias,
                ["password"] = TestMail.Password,
            },
        };
        await runner.RunAsync(Transcript.Named("submission", name));
    }
}
