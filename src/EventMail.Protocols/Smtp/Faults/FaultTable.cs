using System.Collections.Immutable;
using System.Globalization;

namespace EventMail.Protocols.Smtp.Faults;

/// <summary>The faults on demand of a server, the oldest first: the first one that fits strikes. Thread-safe.</summary>
/// <param name="byName">Recipients called fail-CODE and slow-SECONDS get what their names ask for.</param>
public sealed class FaultTable(bool byName = false)
{
    public const int MaxRules = 1000;

    private ImmutableArray<FaultRule> _rules = [];
    private int _last;

    public IReadOnlyList<FaultRule> Rules => _rules;

    /// <returns>Null when it cannot be had: <paramref name="why"/>.</returns>
    public FaultRule? Add(FaultDefinition definition, out string why, string? id = null)
    {
        id ??= Interlocked.Increment(ref _last).ToString(CultureInfo.InvariantCulture);
        if (FaultRule.TryCreate(id, definition, out why) is not { } rule)
            return null;
        if (_rules.Length >= MaxRules)
        {
            why = $"there are {MaxRules} faults already";
            return null;
        }
        ImmutableInterlocked.Update(ref _rules, static (all, added) => all.Add(added), rule);
        return rule;
    }

    public bool Remove(string id) => ImmutableInterlocked.Update(ref _rules, static (all, gone) => all.RemoveAll(rule => rule.Id == gone), id);

    public void Clear() => ImmutableInterlocked.Update(ref _rules, static _ => []);

    internal FaultRule? Strike(FaultStage stage, string? user, string? sender, IReadOnlyList<string> recipients)
    {
        foreach (var rule in _rules)
        {
            if (rule.Matches(stage, user, sender, recipients) && rule.Take())
                return rule;
        }
        return byName && stage == FaultStage.Rcpt && recipients is [var recipient] ? ByName(recipient) : null;
    }

    // fail-550@example.org, slow-3@example.org
    private static FaultRule? ByName(string recipient)
    {
        var at = recipient.LastIndexOf('@');
        var name = (at < 0 ? recipient : recipient[..at]).ToLowerInvariant();
        var dash = name.LastIndexOf('-');
        if (dash < 0 || !int.TryParse(name.AsSpan(dash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            return null;
        return name[..dash] switch
        {
            "fail" => FaultRule.TryCreate(name, new(FaultStage.Rcpt) { Code = number }, out _),
            "slow" => FaultRule.TryCreate(name, new(FaultStage.Rcpt) { Delay = TimeSpan.FromSeconds(number) }, out _),
            _ => null,
        };
    }
}
