using EventMail.Protocols.MailAuth.Spf;

namespace EventMail.Protocols.Tests.MailAuth.Spf;

public sealed class OpenSpfSuiteTests
{
    public static TheoryData<string> Names => [.. OpenSpfSuite.Cases.Select(test => test.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_case_of_the_suite_has_the_result_that_the_suite_wants(string name)
    {
        var (test, dns) = OpenSpfSuite.Find(name);
        var at = test.MailFrom.LastIndexOf('@');
        var (local, domain) = at < 0 ? ("", test.MailFrom) : (test.MailFrom[..at], test.MailFrom[(at + 1)..]);
        var verifier = new SpfVerifier(dns, "receiver.example", TimeProvider.System);

        var outcome = await verifier.MailFromAsync(test.Client, test.Helo, local, domain, default, explain: true);

        test.Results.ShouldContain(outcome.Result.ToString().ToLowerInvariant(), $"{test.Scenario}: {outcome.Detail}");
        // Without a word of the domain's own it is the receiver's: we have none. The letters of %{i} may have either case.
        if (test.Explanation is not null)
            outcome.Explanation.ShouldBe(test.Explanation == "DEFAULT" ? null : test.Explanation, StringCompareShould.IgnoreCase);
    }

    [Fact]
    public void All_cases_are_there() => OpenSpfSuite.Cases.Count().ShouldBe(203);
}
