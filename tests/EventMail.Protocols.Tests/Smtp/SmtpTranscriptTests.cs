using EventMail.Testing.Transcripts;

namespace EventMail.Protocols.Tests.Smtp;

public sealed class SmtpTranscriptTests
{
    public static TheoryData<string> SmtpNames => new(Transcript.Names("smtp"));

    public static TheoryData<string> LmtpNames => new(Transcript.Names("lmtp"));

    [Theory]
    [MemberData(nameof(SmtpNames))]
    public Task Smtp(string name) => new SmtpHarness().PlayAsync("smtp", name);

    [Theory]
    [MemberData(nameof(LmtpNames))]
    public Task Lmtp(string name) => new SmtpHarness().PlayAsync("lmtp", name);
}
