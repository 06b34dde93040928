using EventMail.EventStore;
using EventMail.Projections.Accounts;

namespace EventMail.Projections.Quotas;

/// <summary>What an account's total may be when the commit is made, before it: it was decided on no other.</summary>
internal sealed record QuotaTerm(string Account, long LeastBytes, long MostBytes, long MostMessages) : CommitTerm
{
    /// <summary>Both hold.</summary>
    public QuotaTerm And(QuotaTerm other) => this with
    {
        LeastBytes = Math.Max(LeastBytes, other.LeastBytes),
        MostBytes = Math.Min(MostBytes, other.MostBytes),
        MostMessages = Math.Min(MostMessages, other.MostMessages),
    };
}

internal static class QuotaTerms
{
    /// <summary>What there was room for has room still, whatever other nodes commit before this one.</summary>
    public static void RequireRoom(this Decision decision, string account, in QuotaUsage usage, long bytes, long messages)
    {
        if (usage.Committed is not { } committed)
            return;
        // Of what nothing is added, nothing has to be free.
        var mostBytes = bytes > 0 ? committed.Bytes + (usage.Limit - bytes - usage.Used) : long.MaxValue;
        var mostMessages = messages > 0 && usage.MessageLimit is { } limit ? committed.Messages + (limit - messages - usage.Messages) : long.MaxValue;
        decision.Require(new QuotaTerm(account, long.MinValue, mostBytes, mostMessages));
    }

    /// <summary>The total is the one that was decided on.</summary>
    public static void RequireTotal(this Decision decision, string account, in QuotaUsage usage)
    {
        if (usage.Committed is { } committed)
            decision.Require(new QuotaTerm(account, committed.Bytes, committed.Bytes, long.MaxValue));
    }
}
