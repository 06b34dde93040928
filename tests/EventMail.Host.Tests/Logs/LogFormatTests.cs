using System.Text.Json;
using EventMail.Host.Logs;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace EventMail.Host.Tests.Logs;

public sealed class LogFormatTests
{
    private static string Written(ConsoleFormatter formatter, string message, params (string Name, object? Value)[] fields)
    {
        var output = new StringWriter();
        var state = fields.Select(field => KeyValuePair.Create(field.Name, field.Value)).Append(new("{OriginalFormat}", "template")).ToList();
        formatter.Write(
            new LogEntry<List<KeyValuePair<string, object?>>>(LogLevel.Warning, "Test", new(1, "MessageAccepted"), state, null, (_, _) => message), null, output);
        return output.ToString();
    }

    [Theory]
    [InlineData(LogLevel.Debug, true, true)]
    [InlineData(LogLevel.Information, false, true)]
    [InlineData(LogLevel.Warning, false, true)]
    [InlineData(LogLevel.Error, false, false)]
    public void Queries_of_requests_are_written_only_where_all_is(LogLevel level, bool requests, bool warnings)
    {
        using var logs = HostLogs.Create(new() { Level = level });
        var framework = logs.CreateLogger("Microsoft.AspNetCore.Hosting.Diagnostics");
        (framework.IsEnabled(LogLevel.Information), framework.IsEnabled(LogLevel.Warning)).ShouldBe((requests, warnings));
        logs.CreateLogger("EventMail.Http").IsEnabled(level).ShouldBeTrue();
    }

    [Fact]
    public void Json_lines_have_the_fields_under_their_documented_names()
    {
        var line = Written(
            new JsonLines(), "said", ("ConnectionId", "c-1"), ("sessionId", "s-1"), ("ClientIp", System.Net.IPAddress.Loopback), ("MessageId", "<a@b>"),
            ("SizeBytes", 4096L), ("DurationMs", 1.5), ("tlsActive", true), ("command", null));
        line.ShouldEndWith("\n");
        line.Count('\n').ShouldBe(1);
        var json = JsonDocument.Parse(line).RootElement;
        json.GetProperty("level").GetString().ShouldBe("warn");
        json.GetProperty("event_type").GetString().ShouldBe("message_accepted");
        json.GetProperty("message").GetString().ShouldBe("said");
        json.GetProperty("connection_id").GetString().ShouldBe("c-1");
        json.GetProperty("session_id").GetString().ShouldBe("s-1");
        json.GetProperty("client_ip").GetString().ShouldBe("127.0.0.1");
        json.GetProperty("message_id").GetString().ShouldBe("<a@b>");
        json.GetProperty("size_bytes").GetInt64().ShouldBe(4096);
        json.GetProperty("duration_ms").GetDouble().ShouldBe(1.5);
        json.GetProperty("tls_active").GetBoolean().ShouldBeTrue();
        json.GetProperty("command").ValueKind.ShouldBe(JsonValueKind.Null);
    }

    [Fact]
    public void No_name_stands_twice_in_a_json_line()
    {
        var line = Written(
            new JsonLines(), "said", ("event", "EXISTS"), ("SessionId", "s-1"), ("session_id", "s-2"), ("message", "mine"), ("event_type", "x"));
        var json = JsonDocument.Parse(line).RootElement;
        var names = json.EnumerateObject().Select(property => property.Name).ToList();
        names.ShouldBe(names.Distinct());
        json.GetProperty("event_type").GetString().ShouldBe("message_accepted");
        json.GetProperty("event").GetString().ShouldBe("EXISTS");
        json.GetProperty("session_id").GetString().ShouldBe("s-1");
        json.GetProperty("message").GetString().ShouldBe("said");
        json.GetProperty("message_field").GetString().ShouldBe("mine");
    }

    [Fact]
    public void C1_control_characters_do_not_reach_a_terminal() =>
        Written(new PlainLines(), "user \u009b2J").ShouldEndWith("user \\x9b2J\n");

    [Fact]
    public void A_client_cannot_forge_a_plain_line()
    {
        var line = Written(new PlainLines(), "user x\r\n2026-01-01 info  forged\e[2J");
        line.Count('\n').ShouldBe(1);
        line.ShouldContain(@"user x\x0d\x0a2026");
        line.ShouldNotContain("\e");
    }

    [Fact]
    public void A_client_cannot_forge_a_json_line() => Written(new JsonLines(), "a\nb\"c").Count('\n').ShouldBe(1);
}
