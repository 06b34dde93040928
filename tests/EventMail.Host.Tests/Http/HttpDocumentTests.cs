using System.Runtime.CompilerServices;
using System.Text;
using System.Text.RegularExpressions;
using EventMail.Domain.ApiKeys;
using EventMail.Host.Cli;

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
        // An instant at which there was an account to be restored.
        line = line.Replace("2026-11-01T12:00:00Z", (await host.NowAsync()).ToString("O"), StringComparison.Ordinal);
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

    /// <summary>What each command is by HTTP, or that it is none, is said; a new command is not forgotten here.</summary>
    [Fact]
    public void Every_command_has_its_row()
    {
        var rows = CommandRow().Matches(Document).Select(row => Quoted().Matches(row.Groups[1].Value).Select(name => name.Groups[1].Value).ToList()).ToList();
        foreach (var command in CommandLine.Parse([]).RootCommandResult.Command.Subcommands)
        {
            var own = rows.Where(row => row.Exists(name => name.Split(' ')[0] == command.Name)).ToList();
            own.ShouldNotBeEmpty(command.Name);
            if (own.Exists(row => row.Contains(command.Name)))
                continue; // the whole of it
            foreach (var below in command.Subcommands)
                own.ShouldContain(row => row.Exists(name => name == below.Name || name.StartsWith($"{command.Name} {below.Name}", StringComparison.Ordinal)), $"{command.Name} {below.Name}");
        }
    }

    /// <summary>And what is said of paths is true.</summary>
    [Fact]
    public void Every_path_of_a_command_is_an_operation()
    {
        var known = host.Api.Operations.Select(operation => operation.Path).ToList();
        foreach (Match path in Paths().Matches(Document))
            known.ShouldContain(known => known.EndsWith(path.Groups[1].Value, StringComparison.Ordinal), path.Value);
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

    [GeneratedRegex(@"^\| (`[a-z].*?) \| .* \|$", RegexOptions.Multiline)]
    private static partial Regex CommandRow();

    [GeneratedRegex("`([a-z][^`]*)`")]
    private static partial Regex Quoted();

    // `POST /queue/retry`, `PUT …/quota`, `/verify`; not what is asked for behind it.
    [GeneratedRegex(@"(?:GET|POST|PUT|PATCH|DELETE) …?(/(?!api/)[a-z][a-zA-Z/{}-]*)")]
    private static partial Regex Paths();

    [GeneratedRegex("-d '([^']*)'")]
    private static partial Regex Body();

    [GeneratedRegex("^# TYPE ([a-z_]+) ", RegexOptions.Multiline)]
    private static partial Regex Measure();
}
