using System.Text.Json;
using EventMail.Protocols.MailAuth.Arc;
using EventMail.Protocols.Tests.MailAuth.Dkim;

namespace EventMail.Protocols.Tests.MailAuth.Arc;

/// <summary>The validation cases of ValiMail's public ARC test suite (Vectors/arc_test_suite.json says which, and their licence).</summary>
public sealed class ArcTestSuiteTests
{
    private static readonly Suite All = JsonSerializer.Deserialize<Suite>(
        File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "MailAuth", "Arc", "Vectors", "arc_test_suite.json")), JsonSerializerOptions.Web)!;

    /// <summary>Where the suite lets pass what RFC 6376 does not: of 171 cases these three.</summary>
    private static readonly Dictionary<string, string> Stricter = new()
    {
        ["ams_fields_c_na"] = "message signature 1: signature did not verify", // §3.5: without c= "simple/simple", the suite signed relaxed
        ["ams_fields_h_empty"] = "message signature 1: h= is no list of field names", // §3.5: "This list MUST NOT be empty"
        ["ams_fields_h_mis_hdr"] = "message signature 1: h= is no list of field names", // §3.5: from:to::date has an empty name
    };

    public static TheoryData<string> Names => new(All.Scenarios.SelectMany(scenario => scenario.Tests).Select(test => test.Name));

    [Theory]
    [MemberData(nameof(Names))]
    public async Task The_chain_is_judged_as_the_suite_says(string name)
    {
        var scenario = All.Scenarios.Single(scenario => scenario.Tests.Any(test => test.Name == name));
        var test = scenario.Tests.Single(test => test.Name == name);
        var dns = new DnsTable();
        foreach (var (record, text) in scenario.Txt)
            dns.Txt(record, text);
        var mail = Mail.Of(test.Message);

        var result = await new ArcVerifier().VerifyAsync(mail.Header, mail.InPieces(100), dns, Mail.Now, default);

        if (Stricter.TryGetValue(name, out var reason))
            (result.Word, result.Reason).ShouldBe(("fail", reason));
        else
            result.Word.ShouldBe(test.Cv, $"{test.Description}: {result.Reason}");
    }

    private sealed record Suite(Scenario[] Scenarios);

    private sealed record Scenario(string Description, Dictionary<string, string> Txt, Case[] Tests);

    private sealed record Case(string Name, string Description, string Cv, string Message);
}
