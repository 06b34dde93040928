using System.Runtime.InteropServices;
using Npgsql;

namespace EventMail.EventStore;

/// <summary>A subject's first key, which is stored with the batch that seals with it.</summary>
internal readonly record struct NewSubjectKey(string Subject, SubjectKey Key, WrappedKey Wrapped);

/// <summary>
/// Seals the personal members of a batch's events, when it is decided and before it is linked: the hashes are over what is stored. The
/// committer's: not thread-safe.
/// </summary>
internal sealed class BatchSealing(SubjectKeys keys)
{
    private readonly PersonalSplitter _splitter = new();
    private readonly SealedHeaders _headers = new(keys);

    // Of the batch's events, as far as they are in memory: each is looked up once.
    private readonly List<SubjectKey?> _found = [];

    /// <exception cref="SubjectKeyUnusableException">A subject's key cannot be used.</exception>
    public async ValueTask SealAsync(Batch batch, NpgsqlConnection connection, NpgsqlTransaction? transaction)
    {
        if (!keys.Seals)
            return;
        if (Find(batch) is { } unknown)
        {
            await keys.LoadAsync(connection, transaction, unknown, CancellationToken.None);
            if (transaction is not null)
                await MakeAsync(batch, unknown, connection, transaction);
        }
        Seal(batch);
        _found.Clear();
        // Looked up while there was none. Whoever reads the batch before we know that it is committed must look again, and not take them for destroyed.
        foreach (var made in batch.SubjectKeys)
            keys.Unlearn(made.Subject);
    }

    // The subjects of whom it is not in memory whether they have a key.
    private HashSet<string>? Find(Batch batch)
    {
        HashSet<string>? unknown = null;
        _found.Clear();
        foreach (var pending in batch.Events)
        {
            SubjectKey? key = null;
            if (Concerns(pending) && DataSubject.Of(pending.Event.Stream) is var subject && !keys.TryGet(subject, out key))
                (unknown ??= new(StringComparer.Ordinal)).Add(subject);
            _found.Add(key);
        }
        return unknown;
    }

    // After a conflict: what new keys were wrapped with may be retired.
    private async Task MakeAsync(Batch batch, HashSet<string> subjects, NpgsqlConnection connection, NpgsqlTransaction transaction)
    {
        MakeMissing();
        long[] named = [.. batch.SubjectKeys.Select(k => k.Wrapped.WrappingKey).Distinct()];
        if (named.Length == 0 || await WrappedKeyTables.RetiredAsync(named, connection, transaction, CancellationToken.None) is not { Count: > 0 } retired)
            return;
        keys.Retire(retired);
        batch.SubjectKeys.Clear();
        MakeMissing();

        void MakeMissing()
        {
            foreach (var subject in subjects)
                KeyOf(subject, batch);
        }
    }

    private void Seal(Batch batch)
    {
        var events = CollectionsMarshal.AsSpan(batch.Events);
        for (var i = 0; i < events.Length; i++)
        {
            ref var pending = ref events[i];
            var (e, headers) = (pending.Event, pending.Event.Metadata.HeadersJson);
            var key = _found[i];
            if (pending.Type.Personal is { } members && _splitter.Split(pending.Json, members))
            {
                EventBox.Close(_splitter.Rest, _splitter.Taken.Written, key ??= KeyOf(DataSubject.Of(e.Stream), batch), e.Stream, e.Version);
                pending.Json = _splitter.Rest.Written.ToArray();
            }
            if (HeaderBox.IsFor(headers) && Concerns(pending))
                pending.SealedHeaders = _headers.Of(headers!, key ?? KeyOf(DataSubject.Of(e.Stream), batch), DataSubject.Of(e.Stream));
        }
    }

    // Nobody's streams are subjects where their events have personal members: days of logins, not domains, aliases and the operator's other things.
    private static bool Concerns(in PendingEvent pending) =>
        pending.Type.Personal is not null || (pending.Event.Stream.Tenant != StreamKey.DefaultTenant && HeaderBox.IsFor(pending.Event.Metadata.HeadersJson));

    // Its own, or a first one.
    private SubjectKey KeyOf(string subject, Batch batch)
    {
        if (keys.Get(subject) is { } key)
            return key;
        foreach (var made in batch.SubjectKeys)
            if (made.Subject == subject)
                return made.Key;
        var (first, wrapped) = keys.Make(subject);
        batch.SubjectKeys.Add(new(subject, first, wrapped));
        return first;
    }

    /// <summary>The batch was not committed, and somebody else's key may be why.</summary>
    public void GiveUp(Batch batch)
    {
        foreach (var made in batch.SubjectKeys)
            keys.Unlearn(made.Subject);
    }

    /// <summary>The batch is committed.</summary>
    public void Finish(Batch batch)
    {
        foreach (var (subject, key, _) in batch.SubjectKeys)
            keys.Remember(subject, key);
    }
}
