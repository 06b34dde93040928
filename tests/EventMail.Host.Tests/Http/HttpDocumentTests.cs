using System.Runtime.CompilerServices;
using System.Text;
using System.Text.RegularExpressions;
using EventMail.Domain.ApiKeys;

namespace EventMail.Host.Tests.Http;

/// <summary>What docs/http.md shows is what the API takes.</summary>
public sealed partial class HttpDocumentTests(AdminHost host) : IClassFixture<AdminHost>
{
    private static readonly string Document = File.ReadAllText(Path.GetFullPath(Path.Combine(Folder(), "../../../docs/http.md")));

    public static TheoryData<string> Examples => [.. Curl().Matches(Document).Select(line => line.Value)];

    [Theory]
    [MemberData(nameof(Examples))]
    public async Task An_example_does_what_it_says(string line)
    {
        if (await host.Store.Directory.FindAsync("joe@example.org", default) is null)
            await host.AccountAsync("joe@example.org");
        var url = Url().Match(line).Groups[1].Value;
        var body = Body().Match(line) is { Success: true } data ? data.Groups[1].Value.Replace("joe@example.org", $"new-{Guid.NewGuid():n}@example.org", StringComparison.Ordinal) : null;
        var method = line.Contains("-X POST", StringComparison.Ordinal) || body is not null ? HttpMethod.Post : HttpMethod.Get;
        var request = new HttpRequestMessage(method, url) { Content = body is null ? null : new StringContent(body, Encoding.UTF8, "application/json") };
        using var answer = await host.Admin.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        ((int)answer.StatusCode).ShouldBeInRange(200, 299, line);
    }

    [Fact]
    public void Every_resource_of_a_scope_is_named()
    {
        foreach (var resource in ApiScopes.Resources)
            Document.ShouldContain($"`{resource}`");
    }

    [Fact]
    public async Task Every_measure_is_named()
    {
        using var client = host.With(null);
        var names = Measure().Matches(await client.GetStringAsync("/metrics")).Select(name => name.Groups[1].Value);
        // `eventmail_queue_messages`, `_recipients` …: what has a name in common is named once in full.
        foreach (var name in names)
            (Document.Contains($"`{name}`", StringComparison.Ordinal) || Document.Contains($"`{name[name.LastIndexOf('_')..]}`", StringComparison.Ordinal)).ShouldBeTrue(name);
    }

    private static string Folder([CallerFilePath] string file = "") => Path.GetDirectoryName(file)!;

    [GeneratedRegex(@"^curl .*http://localhost:8080.*$", RegexOptions.Multiline)]
    private static partial Regex Curl();

    [GeneratedRegex("""http://localhost:8080([^ "]*)""")]
    private static partial Regex Url();

    [GeneratedRegex("-d '([^']*)'")]
    private static partial Regex Body();

    [GeneratedRegex("^# TYPE ([a-z_]+) ", RegexOptions.Multiline)]
    private static partial Regex Measure();
}
