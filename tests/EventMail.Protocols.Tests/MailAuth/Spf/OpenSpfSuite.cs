using System.Net;
using System.Text.Json;
using EventMail.Protocols.Dns;

namespace EventMail.Protocols.Tests.MailAuth.Spf;

/// <summary>The cases of the test suite of openspf.org for RFC 7208; source and licence beside the file.</summary>
internal static class OpenSpfSuite
{
    public sealed record Case(string Name, string Scenario, IPAddress Client, string Helo, string MailFrom, string[] Results, string? Explanation);

    private static readonly List<(Case Case, JsonElement Zone)> All = [.. Read()];

    public static IEnumerable<Case> Cases => All.Select(entry => entry.Case);

    public static (Case Case, DnsTable Dns) Find(string name)
    {
        var (found, zone) = All.Single(entry => entry.Case.Name == name);
        return (found, ZoneOf(zone));
    }

    private static IEnumerable<(Case, JsonElement)> Read()
    {
        using var stream = typeof(OpenSpfSuite).Assembly.GetManifestResourceStream("rfc7208-tests.json")!;
        var suite = JsonDocument.Parse(stream).RootElement;
        foreach (var scenario in suite.GetProperty("scenarios").EnumerateArray())
        {
            foreach (var test in scenario.GetProperty("tests").EnumerateObject())
            {
                var value = test.Value;
                var result = value.GetProperty("result");
                yield return (
                    new(test.Name, scenario.GetProperty("description").GetString()!, IPAddress.Parse(value.GetProperty("host").GetString()!),
                        value.GetProperty("helo").GetString()!, value.GetProperty("mailfrom").GetString()!, [.. Strings(result)],
                        value.TryGetProperty("explanation", out var explanation) ? explanation.GetString() : null),
                    scenario.GetProperty("zonedata"));
            }
        }
    }

    // As the suite's own drivers do: what is said of type SPF stands for TXT where nothing is said of TXT.
    private static DnsTable ZoneOf(JsonElement zone)
    {
        var table = new DnsTable();
        foreach (var name in zone.EnumerateObject())
        {
            table.Exists(name.Name);
            var records = name.Value.EnumerateArray().ToList();
            var hasTxt = records.Any(record => record.ValueKind == JsonValueKind.Object && record.TryGetProperty("TXT", out _));
            foreach (var record in records)
            {
                if (record.ValueKind == JsonValueKind.String)
                {
                    table.Fail(name.Name);
                    continue;
                }
                var (type, value) = record.EnumerateObject().Select(field => (field.Name, field.Value)).Single();
                Add(table, name.Name, type == "SPF" ? hasTxt ? "" : "TXT" : type, value);
            }
        }
        return table;
    }

    private static void Add(DnsTable table, string name, string type, JsonElement value)
    {
        switch (type)
        {
            case "TXT":
                var text = string.Concat(Strings(value));
                if (text != "NONE")
                    table.Txt(name, text);
                break;
            case "A" or "AAAA":
                table.Address(name, value.GetString()!);
                break;
            case "MX":
                table.Add(name, DnsType.Mx, new MxRecord(value[0].GetInt32(), value[1].GetString()!.TrimEnd('.')));
                break;
            case "PTR":
                table.Add(name, DnsType.Ptr, new NameRecord(value.GetString()!.TrimEnd('.').ToLowerInvariant()));
                break;
            case "CNAME":
                table.Add(name, DnsType.Cname, new NameRecord(value.GetString()!.TrimEnd('.').ToLowerInvariant()));
                break;
        }
    }

    private static IEnumerable<string> Strings(JsonElement value) =>
        value.ValueKind == JsonValueKind.Array ? value.EnumerateArray().Select(entry => entry.GetString()!) : [value.GetString()!];
}
