using EventMail.Domain;
using EventMail.Projections.Past;

namespace EventMail.Projections.Metadata;

/// <summary>
/// What one account sees of annotations of its mailboxes of the past, for one command: which mailboxes there were at an instant is asked once. What a
/// mailbox is for is told of those of today alone, as by LIST. Not thread-safe.
/// </summary>
public sealed class PastAnnotations
{
    private readonly PastNamespace _past;
    private readonly string _account;
    private PastAccount? _then;

    internal PastAnnotations(PastNamespace past, string account) => (_past, _account) = (past, account);

    /// <param name="name">In the namespace of the past.</param>
    public async ValueTask<Result<IReadOnlyList<MetadataValue>>> OfAsync(string name, CancellationToken cancel)
    {
        var (found, refused) = await _past.AnnotationsAsync(_account, name, _then, cancel).ConfigureAwait(false);
        if (refused is not null)
            return refused;
        _then = found.Then;
        var values = new SortedMetadata();
        values.Add(found.State, _account);
        return new(values.ToList(), null);
    }
}
