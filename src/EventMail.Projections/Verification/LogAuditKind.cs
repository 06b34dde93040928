using System.Text.Json.Serialization;
using EventMail.Domain.Accounts;
using EventMail.Domain.Auditing;
using EventMail.EventStore;

namespace EventMail.Projections.Verification;

/// <summary>The one stream of what was found altered in the log.</summary>
public sealed class LogAuditKind : StreamKind
{
    public static readonly LogAuditKind Instance = new();

    public static readonly StreamRef Stream = new(Instance, StreamKey.Global(AccountStreams.LogAudit()));

    public override string Name => "log_audit";

    public override object Empty(StreamKey key) => LogAlterations.None;

    public override object Evolve(object state, StoredEvent e) => ((LogAlterations)state).Evolve(e.Data);
}

/// <summary>The aliases of its events.</summary>
internal static class LogAuditEventTypes
{
    public static EventTypeMap RegisterLogAuditEvents(this EventTypeMap map) => map
        .Register("log_altered", LogAuditEventJson.Default.LogAltered)
        .Register("log_alteration_ended", LogAuditEventJson.Default.LogAlterationEnded);
}

[JsonSerializable(typeof(LogAltered))]
[JsonSerializable(typeof(LogAlterationEnded))]
internal sealed partial class LogAuditEventJson : JsonSerializerContext;
