namespace EventMail.Projections.Maildrops;

/// <summary>
/// A maildrop that is one session's alone on all nodes (RFC 1939 §4), until disposed. Disposing returns when others can have it.
/// </summary>
public sealed class MaildropLock : IAsyncDisposable
{
    private readonly MaildropLocks _locks;
    private readonly Action _onLost;
    private int _released;
    private volatile bool _lost;

    internal MaildropLock(MaildropLocks locks, long key, Action onLost) => (_locks, Key, _onLost) = (locks, key, onLost);

    internal long Key { get; }

    /// <summary>PostgreSQL granted it. Written by the exchanging task only.</summary>
    internal bool IsGranted { get; set; }

    /// <summary>
    /// The connection that held the lock broke: another session may have the maildrop by now. The session must end without entering
    /// the UPDATE state.
    /// </summary>
    public bool IsLost => _lost;

    public ValueTask DisposeAsync() =>
        Interlocked.Exchange(ref _released, 1) == 0 ? new(_locks.ReleaseAsync(this)) : ValueTask.CompletedTask;

    internal void Lose()
    {
        _lost = true;
        _onLost();
    }
}
