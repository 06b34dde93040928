namespace EventMail.Protocols.Smtp.Reception;

/// <summary>What checks keep of a transaction from its first recipient to its message. It ends with the transaction. Not thread-safe.</summary>
public sealed class Admission : IAsyncDisposable
{
    private Dictionary<IReceptionStep, IAsyncDisposable>? _kept;

    /// <summary>What this step keeps; begun when it keeps nothing yet.</summary>
    internal T Of<T>(IReceptionStep step, Func<T> begin)
        where T : class, IAsyncDisposable
    {
        _kept ??= [];
        if (!_kept.TryGetValue(step, out var kept))
            _kept.Add(step, kept = begin());
        return (T)kept;
    }

    public async ValueTask DisposeAsync()
    {
        if (_kept is not { } kept)
            return;
        _kept = null;
        foreach (var ended in kept.Values)
            await ended.DisposeAsync().ConfigureAwait(false);
    }
}
