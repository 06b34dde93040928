using System.Reflection;

namespace EventMail.Host.Tests;

/// <summary>The direction of dependencies in docs/architecture.md, checked on the built assemblies.</summary>
public class ProjectDirectionsTests
{
    private static readonly Dictionary<string, string[]> Allowed = new()
    {
        ["EventMail.Domain"] = [],
        ["EventMail.EventStore"] = [],
        ["EventMail.Projections"] = ["EventMail.Domain", "EventMail.EventStore"],
        ["EventMail.Protocols"] = ["EventMail.Domain", "EventMail.EventStore", "EventMail.Projections"],
    };

    public static TheoryData<string> Projects => new(Allowed.Keys);

    [Theory]
    [MemberData(nameof(Projects))]
    public void A_project_refers_only_to_the_projects_below_it(string project)
    {
        References(project).Where(name => name.StartsWith("EventMail.", StringComparison.Ordinal))
            .ShouldBeSubsetOf(Allowed[project]);
    }

    [Fact]
    public void The_domain_refers_to_the_base_class_library_only() =>
        References("EventMail.Domain").ShouldAllBe(name => name.StartsWith("System.", StringComparison.Ordinal) || name == "netstandard");

    [Fact]
    public void Protocols_know_no_SQL() => References("EventMail.Protocols").ShouldNotContain("Npgsql");

    private static IEnumerable<string> References(string project) =>
        Assembly.Load(project).GetReferencedAssemblies().Select(a => a.Name!);
}
