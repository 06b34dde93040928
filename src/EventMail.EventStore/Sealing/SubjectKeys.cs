using System.Security.Cryptography;
using System.Text;
using Npgsql;

namespace EventMail.EventStore;

/// <summary>
/// The keys under which the personal fields of events are sealed, one for each data subject (<see cref="DataSubject"/>): in
/// eventmail.subject_key, wrapped by the key ring. Those used last are in memory. Thread-safe.
/// </summary>
public sealed class SubjectKeys
{
    /// <summary>Where a subject's name is told when its key is made or destroyed, behind a mark that says which.</summary>
    internal const string Channel = "eventmail_subjects";
    internal const char Made = '+';
    private const char Destroyed = '-';

    // That there is no key is believed for so long without being told: one may have been made by a node that we did not hear.
    private static readonly TimeSpan NoneFor = TimeSpan.FromSeconds(30);

    // A folder of keys may be put back at any time.
    private static readonly TimeSpan FaultFor = TimeSpan.FromSeconds(2);

    private const string Changed = "its row in eventmail.subject_key was changed, or is another's.";

    private const string Select = "select subject, kek, key from eventmail.subject_key where subject = any($1)";

    private sealed record Known(SubjectKey? Key, string? Fault, long Until)
    {
        public bool Holds => Until > Environment.TickCount64;
    }

    private readonly BoundedCache<string, Known> _known;
    private readonly NpgsqlDataSource _source;
    private readonly KeyRing _ring;
    private int _erasures;

    internal SubjectKeys(NpgsqlDataSource source, KeyRing ring, KeyOptions options)
    {
        (_source, _ring, Seals) = (source, ring, options.SealEvents);
        _known = new(Math.Max(1, options.CachedSubjects / 2), StringComparer.Ordinal);
    }

    /// <summary>What comes is sealed; what was sealed is opened either way.</summary>
    internal bool Seals { get; }

    /// <summary>
    /// A subject's key was destroyed, by whatever node: what is remembered of the subject is to be forgotten. Null: nobody told us for a while, and it
    /// may have been anybody's.
    /// </summary>
    internal event Action<string?>? Erased;

    /// <summary>Another number each time that a subject's key was destroyed, or may have been: what was remembered before may be gone.</summary>
    public int Erasures => Volatile.Read(ref _erasures);

    /// <summary>
    /// Destroys a subject's key in the caller's transaction: once that is committed, what is sealed of the subject in the log cannot be read any
    /// more. Backups of the database still hold the wrapped key, as long as its wrapping key is not destroyed as well.
    /// </summary>
    /// <param name="subject">An account's id; or what <see cref="DataSubject.Of"/> says of a stream.</param>
    /// <returns>The wrapping key that must go for it to be unreadable in backups too; null when the subject has no key.</returns>
    public async Task<long?> EraseAsync(NpgsqlConnection connection, NpgsqlTransaction? transaction, string subject, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand(
            $"with gone as (delete from eventmail.subject_key where subject = $1 returning kek) select kek, pg_notify('{Channel}', '{Destroyed}' || $1) from gone", connection, transaction)
        {
            Parameters = { new() { Value = subject } },
        };
        var wrapping = await command.ExecuteScalarAsync(cancel) as long?;
        Unlearn(subject); // and again when it is committed, and told of
        return wrapping;
    }

    /// <summary>True when it is in memory whether there is a key.</summary>
    internal bool Knows(string subject) => _known.TryGet(subject, out var known) && known.Holds;

    /// <summary>Brings what is known of subjects into memory: one statement.</summary>
    internal async Task LoadAsync(IReadOnlyCollection<string> subjects, CancellationToken cancel)
    {
        await using var connection = await _source.OpenConnectionAsync(cancel);
        await LoadAsync(connection, null, subjects, cancel);
    }

    internal async Task LoadAsync(NpgsqlConnection connection, NpgsqlTransaction? transaction, IReadOnlyCollection<string> subjects, CancellationToken cancel)
    {
        var erasures = Erasures;
        var missing = subjects.ToHashSet(StringComparer.Ordinal);
        await using var command = new NpgsqlCommand(Select, connection, transaction) { Parameters = { new() { Value = subjects.ToArray() } } };
        await using var row = await command.ExecuteReaderAsync(cancel);
        while (await row.ReadAsync(cancel))
        {
            Learn(row, erasures);
            missing.Remove(row.GetString(0));
        }
        foreach (var subject in missing)
            _known.Set(subject, None());
    }

    /// <summary>The subject's key; null when there is none, or none any more. What is not in memory is looked up, which blocks: load many at once before.</summary>
    /// <exception cref="SubjectKeyUnusableException">There is one, and it cannot be used.</exception>
    internal SubjectKey? Get(string subject)
    {
        if (!_known.TryGet(subject, out var known) || !known.Holds)
            known = LookUp(subject);
        return known.Fault is { } fault ? throw new SubjectKeyUnusableException(subject, fault) : known.Key;
    }

    /// <summary>False where it is not in memory whether there is a key; null where there is none.</summary>
    /// <exception cref="SubjectKeyUnusableException">There is one, and it cannot be used.</exception>
    internal bool TryGet(string subject, out SubjectKey? key)
    {
        key = null;
        if (!_known.TryGet(subject, out var known) || !known.Holds)
            return false;
        key = known.Fault is { } fault ? throw new SubjectKeyUnusableException(subject, fault) : known.Key;
        return true;
    }

    /// <summary>A key for a subject that has none. It counts once its row is committed and it is <see cref="Remember"/>ed.</summary>
    /// <exception cref="SubjectKeyUnusableException">No wrapping key can be made.</exception>
    internal (SubjectKey Key, WrappedKey Wrapped) Make(string subject)
    {
        Span<byte> key = stackalloc byte[KeyRing.KeyBytes];
        RandomNumberGenerator.Fill(key);
        try
        {
            return (new(key), _ring.Wrap(key, PurposeOf(subject)));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SubjectKeyUnusableException(subject, e.Message);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
        }
    }

    /// <summary>A subject's key, wrapped for another database; null where it has none.</summary>
    /// <exception cref="SubjectKeyUnusableException">It cannot be used.</exception>
    internal async Task<(SubjectKey Key, WrappedKey Wrapped)?> WrapForAsync(SubjectKeys other, string subject, CancellationToken cancel)
    {
        await using var command = _source.CreateCommand(Select);
        command.Parameters.Add(new() { Value = new[] { subject } });
        await using var row = await command.ExecuteReaderAsync(cancel);
        if (!await row.ReadAsync(cancel))
            return null;
        var key = new byte[KeyRing.KeyBytes];
        try
        {
            return _ring.TryUnwrap(row.GetInt64(1), row.GetFieldValue<byte[]>(2), PurposeOf(subject), key)
                ? (new(key), other._ring.Wrap(key, PurposeOf(subject)))
                : throw new SubjectKeyUnusableException(subject, Changed);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SubjectKeyUnusableException(subject, e.Message);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
        }
    }

    /// <summary>Wraps with other keys than these from now on.</summary>
    internal void Retire(IReadOnlyCollection<long> wrappingKeys) => _ring.Retire(wrappingKeys);

    internal void Remember(string subject, SubjectKey key) => _known.Set(subject, new(key, null, long.MaxValue));

    /// <summary>It is looked up again.</summary>
    internal void Unlearn(string subject) => _known.Remove(subject);

    internal void Hear(string told)
    {
        if (told.Length == 0)
            return;
        var subject = told[1..];
        if (told[0] == Destroyed)
            Forget(subject);
        else if (!(_known.TryGet(subject, out var known) && known.Key is not null))
            Unlearn(subject);
    }

    /// <summary>Nobody told us for a while: of those whose keys were in memory it is found out who has none any more.</summary>
    internal async Task ForgetAllAsync(NpgsqlConnection connection, CancellationToken cancel)
    {
        string[] subjects = [.. _known.Entries.Where(entry => entry.Value.Key is not null).Select(entry => entry.Key).Distinct()];
        var gone = new List<string>();
        if (subjects.Length > 0)
        {
            await using var command = new NpgsqlCommand(
                "select s from unnest($1::varchar[]) s where not exists (select from eventmail.subject_key k where k.subject = s)", connection)
            {
                Parameters = { new() { Value = subjects } },
            };
            await using var row = await command.ExecuteReaderAsync(cancel);
            while (await row.ReadAsync(cancel))
                gone.Add(row.GetString(0));
        }
        Forget(null);
        foreach (var subject in gone)
            Forget(subject);
    }

    private void Forget(string? subject)
    {
        // Counted first: see Learn.
        Interlocked.Increment(ref _erasures);
        if (subject is null)
            _known.Clear();
        else
            Unlearn(subject);
        Erased?.Invoke(subject);
    }

    private Known LookUp(string subject)
    {
        var erasures = Erasures;
        using var connection = _source.OpenConnection();
        using var command = new NpgsqlCommand(Select, connection) { Parameters = { new() { Value = new[] { subject } } } };
        using var row = command.ExecuteReader();
        if (row.Read())
            return Learn(row, erasures);
        var none = None();
        _known.Set(subject, none);
        return none;
    }

    private static Known None() => new(null, null, Environment.TickCount64 + (long)NoneFor.TotalMilliseconds);

    private Known Learn(NpgsqlDataReader row, int erasures)
    {
        var subject = row.GetString(0);
        Span<byte> key = stackalloc byte[KeyRing.KeyBytes];
        Known known;
        try
        {
            known = _ring.TryUnwrap(row.GetInt64(1), row.GetFieldValue<byte[]>(2), PurposeOf(subject), key)
                ? new(new(key), null, long.MaxValue)
                : Faulty(Changed);
        }
        catch (WrappingKeyMissingException e)
        {
            known = Faulty(e.Message);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
        }
        _known.Set(subject, known);
        // It was destroyed between the reading and now, perhaps, and we have heard so already.
        if (erasures != Erasures)
            Unlearn(subject);
        return known;
    }

    private static Known Faulty(string fault) => new(null, fault, Environment.TickCount64 + (long)FaultFor.TotalMilliseconds);

    internal static byte[] PurposeOf(string subject) => Encoding.UTF8.GetBytes("subject " + subject);
}
