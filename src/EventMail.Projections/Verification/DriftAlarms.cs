using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using EventMail.Domain.ReadModels;
using EventMail.EventStore;
using EventMail.Projections.Accounts;
using Microsoft.Extensions.Logging;

namespace EventMail.Projections.Verification;

/// <summary>Makes what a verification found an event and a line of the log, once. Thread-safe.</summary>
public sealed class DriftAlarms(EventLog log, ILoggerFactory loggers)
{
    // What may stand for a text.
    private const string Withheld = "…";

    private static readonly JsonSerializerOptions AsItIs = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly ILogger _log = loggers.CreateLogger("EventMail.Verification");

    public async Task NoteAsync(IReadOnlyList<VerifiedModel> verified, Actor actor, CancellationToken cancel)
    {
        if (verified.Count == 0)
            return;
        (ReadModelDrifted Finding, bool IsSample)[] found = [.. verified.Select(model => (FindingOf(model), model.IsSample))];
        var outcome = await log.Executor.ExecuteAsync(new AccountCommand(actor.Because(null), [ReadModelKind.Stream], decision =>
        {
            var told = new List<object>();
            foreach (var (finding, isSample) in found)
            {
                if (decision.State<ReadModelAlarms>(ReadModelKind.Stream.Key).Note(finding, isSample) is not { } news)
                    continue;
                decision.Append(ReadModelKind.Stream.Key, news);
                told.Add(news);
            }
            decision.Result = told;
        }), cancel).ConfigureAwait(false);
        foreach (var e in (List<object>)outcome.Result!)
        {
            if (e is ReadModelDrifted drifted)
                _log.ReadModelDrifted(
                    drifted.Model, drifted.Generation, drifted.Tables.Sum(t => t.Rows), string.Join("; ", drifted.Tables.Select(t => $"{t.Table} {string.Join(' ', t.Keys)}")));
            else if (e is ReadModelDriftEnded ended)
                _log.ReadModelDriftEnded(ended.Model, ended.Generation);
        }
    }

    private static ReadModelDrifted FindingOf(VerifiedModel model) => new(
        model.Name, model.Generation, model.Position,
        [.. model.Drifts.GroupBy(d => d.Table).Select(t => new DriftedTable(t.Key, t.Count(), [.. t.Take(ReadModelAlarms.MaxKeys).Select(d => WithoutTexts(d.Key))]))]);

    /// <summary>A key without what may be of a person: numbers, ids and the short names of accounts say nothing of one.</summary>
    internal static string WithoutTexts(string key)
    {
        var values = JsonNode.Parse(key)!.AsObject();
        foreach (var (name, value) in values.ToList())
        {
            if (value is JsonValue text && text.TryGetValue<string>(out var word) && name != "tenant_id" && !Guid.TryParse(word, out _))
                values[name] = Withheld;
        }
        return values.ToJsonString(AsItIs);
    }
}
