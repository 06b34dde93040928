using System.Collections.Concurrent;
using EventMail.Domain.Mailboxes;
using EventMail.EventStore;
using EventMail.Projections.Retention;
using Npgsql;

namespace EventMail.Projections.Mailboxes;

/// <summary>Brings mailboxes' messages into the executor's cache: the persisted segments and the tail of the stream. Thread-safe.</summary>
internal sealed class MailboxViews(NpgsqlDataSource source, CommandExecutor executor)
{
    // Loads before a mailbox that the cache will not keep is given up on.
    private const int MaxLoads = 10;

    private readonly ConcurrentDictionary<StreamKey, Lazy<Task>> _loading = new();

    /// <summary>Told what was loaded from segments: the persisted view, and how many events have happened since.</summary>
    public Action<StreamKey, MailboxView, long>? Loaded { get; set; }

    /// <summary>A state with its view that somebody holds already, to spare the loading; may lag.</summary>
    public Func<StreamKey, MailboxState?>? Known { get; set; }

    /// <summary>For a command that names contents again which perhaps no message names.</summary>
    public RevivedContents Revive() => new(source);

    /// <summary>The current state with its view, caught up with other nodes; without one when the mailbox is gone.</summary>
    public async Task<MailboxState> LoadAsync(StreamKey key, CancellationToken cancel)
    {
        var stream = MailboxKind.Stream(key);
        for (var i = 0; i < MaxLoads; i++)
        {
            var state = (MailboxState)(await executor.RefreshAsync(stream, cancel)).State;
            if (state.View is not null || !state.Exists)
                return state;
            await EnsureAsync(key, cancel);
        }
        throw new InvalidOperationException($"The messages of {key} do not stay in memory.");
    }

    /// <summary>Installs the view of a mailbox whose cached state lacks it. One load at a time per mailbox.</summary>
    public Task EnsureAsync(StreamKey key, CancellationToken cancel) =>
        _loading.GetOrAdd(key, k => new(() => InstallAsync(k))).Value.WaitAsync(cancel);

    private async Task InstallAsync(StreamKey key)
    {
        // Not on the caller's stack: its Lazy must be in place before this ends.
        await Task.Yield();
        try
        {
            if (executor.TryGetState(key, out var cached) && ((MailboxState)cached.State).View is not null)
                return;
            var stream = MailboxKind.Stream(key);
            if (Known?.Invoke(key) is { View: not null } known)
            {
                await executor.InstallAsync(stream, new(known, known.Version), CancellationToken.None);
                return;
            }
            MailboxState? persisted;
            await using (var connection = await source.OpenConnectionAsync())
                persisted = await MailboxSnapshotRows.LoadAsync(connection, key, CancellationToken.None);
            var start = persisted ?? MailboxState.Empty;
            await executor.InstallAsync(stream, new(start, start.Version), CancellationToken.None);
            if (executor.TryGetState(key, out var installed))
                Loaded?.Invoke(key, start.View!, installed.Version - start.Version);
        }
        finally
        {
            _loading.TryRemove(key, out _);
        }
    }
}
