using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using EventMail.Domain.Accounts;
using EventMail.Domain.ApiKeys;
using EventMail.Domain.Webhooks;
using EventMail.EventStore;
using EventMail.Host.Http.Admin.Log;
using EventMail.Projections;

namespace EventMail.Host.Tests.Http;

public sealed record AccountMoved(string From, string To);

[JsonSerializable(typeof(AccountMoved))]
internal sealed partial class OlderJson : JsonSerializerContext;

/// <summary>What the event stream and webhooks say of rows of the log that are not today's.</summary>
public sealed class LogEntryTests
{
    private static readonly EventTypeMap Types = EventTypes.Create()
        .Renamed<ApiKeyIssued>("api_key_made")
        .Split("account_moved", OlderJson.Default.AccountMoved, [typeof(AccountSuspended), typeof(AccountResumed)],
            _ => [new AccountSuspended(null), new AccountResumed()]);

    private static StoredEvent Row(string alias, string json) =>
        new(7, Guid.NewGuid(), new("t", Guid.NewGuid()), 3, alias, Types.TryRead(alias, System.Text.Encoding.UTF8.GetBytes(json)), DateTimeOffset.UnixEpoch, EventMetadata.System);

    private static JsonNode Told(StoredEvent row)
    {
        StoredEvent[] parts = [.. SplitEvent.Of(row)];
        return JsonNode.Parse(new LogEntry(parts[0], "account") { Parts = parts }.ToJson(Types).Span)!;
    }

    [Fact]
    public void A_row_that_is_read_as_several_events_is_told_once_with_its_parts()
    {
        var told = Told(Row("account_moved", """{"From": "a", "To": "b"}"""));
        ((long)told["position"]!, (string)told["type"]!, (long)told["version"]!).ShouldBe((7, "account_moved", 3));
        told["data"].ShouldBeNull();
        told["parts"]!.AsArray().Select(part => (string)part!["type"]!).ShouldBe(["account_suspended", "account_resumed"]);
        told["parts"]![1]!["data"].ShouldNotBeNull();
    }

    [Fact]
    public void What_is_secret_stays_so_under_an_older_name()
    {
        var issued = new ApiKeyIssued("1", "k", ["admin"], null, "c2VjcmV0");
        var told = Told(Row("api_key_made", JsonSerializer.Serialize(issued)));
        ((string)told["type"]!).ShouldBe("api_key_issued");
        told["data"]!["Sha256"].ShouldBeNull();
        ((string)told["data"]!["Name"]!).ShouldBe("k");
    }

    [Fact]
    public void Where_a_webhook_leads_is_told_without_the_query_that_may_be_a_secret()
    {
        var added = new WebhookAdded("w", "https://hooks.example/mail?token=abc", null, null, 1, new("k", [1], [2], [3]));
        foreach (var (alias, e) in new[] { ("webhook_added", (object)added), ("webhook_removed", new WebhookRemoved("w", added.Url)) })
        {
            var data = Told(Row(alias, JsonSerializer.Serialize(e)))["data"]!;
            ((string)data["Url"]!).ShouldBe("https://hooks.example/mail");
            data.ToJsonString().ShouldNotContain("abc");
        }
    }

    [Fact]
    public void Of_a_damaged_row_the_reason_is_told()
    {
        var told = Told(Row("api_key_issued", """["no", "object"]"""));
        ((string)told["type"]!).ShouldBe("api_key_issued");
        ((string)told["unreadable"]!).ShouldNotBeEmpty();
    }
}
