using EventMail.EventStore;
using EventMail.Projections;
using EventMail.Projections.SearchText;
using EventMail.Projections.Verification;

namespace EventMail.Host.Composition;

/// <summary>A verification that somebody asked for: what follows from the log is folded, what is derived from messages is compared with some of them or with all.</summary>
/// <param name="options">Of the fold.</param>
/// <param name="sample">Messages that are looked at; null: all.</param>
internal sealed class VerifyWork(MailStore store, GenerationOptions options, int? sample)
{
    /// <param name="names">None: all.</param>
    /// <param name="derived">Gets how many messages were looked at.</param>
    public async Task<IReadOnlyList<VerifiedModel>> RunAsync(
        IReadOnlyList<string> names, Func<BuildProgress, Task> folded, Func<long, Task> derived, Actor actor, CancellationToken cancel)
    {
        bool IsWanted(string name) => names.Count == 0 || names.Contains(name);

        // To fold the index of texts is to read every message; it finds rows that are missing as well.
        List<string> fold = [.. options.Models
            .Where(m => m is { Source: ReadModelSource.Log, Tables.Count: > 0 } && IsWanted(m.Name) && (sample is null || m.Name != SearchTextProjection.ProjectionName)).Select(m => m.Name)];
        List<string> compare = [.. DerivedRowChecks.Models.Where(name => IsWanted(name) && !fold.Contains(name))];
        var verified = new List<VerifiedModel>();
        if (fold.Count > 0)
            verified.AddRange(await new Generations(options).VerifyAsync(fold, folded, cancel));
        if (compare.Count > 0 && sample != 0)
            verified.AddRange(await new DerivedRowChecks(store.Log).VerifyAsync(compare, sample, derived, cancel));
        await store.DriftAlarms.NoteAsync(verified, actor, cancel);
        return verified;
    }
}
