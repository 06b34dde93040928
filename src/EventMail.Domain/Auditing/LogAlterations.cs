using System.Collections.Immutable;

namespace EventMail.Domain.Auditing;

/// <summary>What finds an alteration again.</summary>
public readonly record struct AlterationKey(string Fault, long? Position, string Tenant, Guid Stream, long? Version);

/// <summary>Which alterations of the log are known, folded from their stream. Immutable.</summary>
public sealed record LogAlterations(ImmutableDictionary<AlterationKey, LogAltered> Open)
{
    /// <summary>Alterations that are told one by one. When a log has more, `audit verify` names them all.</summary>
    public const int MaxOpen = 100;

    public static readonly LogAlterations None = new(ImmutableDictionary<AlterationKey, LogAltered>.Empty);

    public static AlterationKey KeyOf(LogAltered e) => new(e.Fault, e.Position, e.Tenant, e.Stream, e.Version);

    public LogAlterations Evolve(object @event) => @event switch
    {
        LogAltered e => new(Open.SetItem(KeyOf(e), e)),
        LogAlterationEnded e => new(Open.Remove(new(e.Fault, e.Position, e.Tenant, e.Stream, e.Version))),
        _ => throw new ArgumentException($"not an event of the log's own stream: {@event.GetType().Name}", nameof(@event)),
    };

    /// <summary>What is worth telling: nothing that was told before, nothing that is over and was not told.</summary>
    /// <param name="found">What is wrong.</param>
    /// <param name="over">What was, and is not any more.</param>
    public IReadOnlyList<object> Note(IEnumerable<LogAltered> found, IEnumerable<AlterationKey> over)
    {
        var (news, open) = (new List<object>(), Open);
        foreach (var key in over)
        {
            if (!open.ContainsKey(key))
                continue;
            open = open.Remove(key);
            news.Add(new LogAlterationEnded(key.Fault, key.Position, key.Tenant, key.Stream, key.Version));
        }
        foreach (var alteration in found)
        {
            var key = KeyOf(alteration);
            if (open.Count >= MaxOpen || open.ContainsKey(key))
                continue;
            open = open.Add(key, alteration);
            news.Add(alteration);
        }
        return news;
    }
}
