using EventMail.Domain;
using EventMail.Domain.Mailboxes;
using EventMail.Domain.Metadata;
using EventMail.EventStore;
using EventMail.Projections.Metadata;
using Npgsql;

namespace EventMail.Projections.Past;

/// <summary>Mailboxes as of an instant: the fold of their streams up to the version that they had. Thread-safe.</summary>
public sealed class PastMailboxes(EventLog log, PastOptions? options = null, TimeProvider? clock = null)
{
    private readonly PastViews _views = new((options ?? new()).CachedMessages);
    private readonly SemaphoreSlim _openings = new(Math.Max(2, Environment.ProcessorCount));
    private readonly TimeProvider _clock = clock ?? TimeProvider.System;

    public PastOptions Options { get; } = options ?? new();

    /// <summary>What sessions hold open.</summary>
    internal OpenMessages Open { get; } = new((options ?? new()).OpenMessages);

    internal DateTimeOffset Now => _clock.GetUtcNow();

    /// <summary>Which mailboxes an account had. Refused before its first one was made, and for the future.</summary>
    /// <param name="account">Its id; it may be closed by now.</param>
    public async Task<Result<PastAccount>> AtAsync(string account, DateTimeOffset instant, CancellationToken cancel)
    {
        if (instant > Now)
            return new Rejection(RejectionKind.Invalid, $"{PastInstant.Of(instant)} is in the future");
        if (await BeganAsync(account, cancel) is not { } began)
            return Rejection.AccountMissing;
        if (instant < began)
            return new Rejection(RejectionKind.NonExistent, $"{PastInstant.Of(instant)} is before the account: it begins at {PastInstant.Of(began)}");
        return new PastAccount(account, instant, Sorted(await PastNameRows.AtAsync(log.DataSource, account, instant, cancel)));
    }

    /// <summary>When an account's first mailbox was made; null for one that has never been.</summary>
    public Task<DateTimeOffset?> BeganAsync(string account, CancellationToken cancel) => PastNameRows.FirstAsync(log.DataSource, account, cancel);

    /// <summary>The version that a mailbox, or another stream, had at an instant, its events of that very instant included; 0: nothing had happened.</summary>
    public Task<long> VersionAtAsync(StreamKey stream, DateTimeOffset instant, CancellationToken cancel) =>
        PastNameRows.VersionAsync(log.DataSource, stream, instant, cancel);

    /// <summary>What a mailbox had been annotated with by an instant (RFC 5464), by everybody. There are no pictures of it: the log has few such events.</summary>
    public async Task<MetadataState> AnnotationsAsync(StreamKey mailbox, DateTimeOffset instant, CancellationToken cancel)
    {
        var (stream, state) = (MetadataKind.OfMailbox(mailbox).Key, MetadataState.Empty);
        await foreach (var e in log.Reader.ReadForFoldAsync(stream, 1, await VersionAtAsync(stream, instant, cancel), cancel))
            state = (MetadataState)MetadataKind.Instance.Evolve(state, e);
        return state;
    }

    /// <summary>A mailbox as it was at a version of its stream, with its messages.</summary>
    /// <param name="version">0: before it was made.</param>
    /// <exception cref="ArgumentOutOfRangeException">The stream has not come to this version.</exception>
    public async Task<MailboxState> OpenAsync(StreamKey mailbox, long version, CancellationToken cancel)
    {
        if (version == 0)
            return MailboxState.Empty;
        // Each may need the memory of all of a mailbox before it shares anything.
        await _openings.WaitAsync(cancel);
        try
        {
            return await FoldAsync(mailbox, version, cancel);
        }
        finally
        {
            _openings.Release();
        }
    }

    private async Task<MailboxState> FoldAsync(StreamKey mailbox, long version, CancellationToken cancel)
    {
        var state = await StartAsync(mailbox, version, cancel);
        await foreach (var e in log.Reader.ReadForFoldAsync(mailbox, state.Version + 1, version, cancel))
            state = state.Evolve(e.Data, e.Version, e.Timestamp);
        if (state.Version != version)
            throw new ArgumentOutOfRangeException(nameof(version), version, $"Mailbox {mailbox} has no such version.");
        _views.Put(mailbox, state);
        return state;
    }

    // What is in memory, unless a picture is nearer.
    private async ValueTask<MailboxState> StartAsync(StreamKey mailbox, long version, CancellationToken cancel)
    {
        var known = _views.TryGet(mailbox, version, out var opened) ? opened : MailboxState.Empty;
        if (known.Version >= version - version % MailboxPastProjection.Every)
            return known;
        await using var connection = await log.DataSource.OpenConnectionAsync(cancel);
        try
        {
            return await PictureRows.LoadAsync(connection, mailbox, known.Version, version, cancel) ?? known;
        }
        catch (PostgresException e) when (e.SqlState is PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.UndefinedColumn)
        {
            // No server has made the pictures yet, or those of this version: the log has everything.
            return known;
        }
    }

    private static PastMailbox[] Sorted(List<PastMailbox> mailboxes)
    {
        PastMailbox[] sorted = [.. mailboxes.OrderBy(mailbox => mailbox.Name, MailboxName.Order)];
        // What is below a name follows it at once.
        for (var i = 0; i + 1 < sorted.Length; i++)
        {
            if (MailboxName.IsBelow(sorted[i + 1].Name, sorted[i].Name))
                sorted[i] = sorted[i] with { HasChildren = true };
        }
        return sorted;
    }
}
