using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace EventMail.EventStore;

/// <summary>
/// Wraps the keys of contents and of people: what is in the database cannot be read without the wrapping keys, which are files beside it.
/// A process wraps with keys of its own making, a bounded number of keys with each: so a wrapping key can be destroyed after the few
/// others that it wraps are wrapped anew. It reads those of all. Thread-safe.
/// </summary>
public sealed class KeyRing : IDisposable
{
    /// <summary>Of the keys that are wrapped, and of the wrapping keys: AES-256.</summary>
    public const int KeyBytes = 32;

    /// <summary>Keys that one wrapping key wraps at most.</summary>
    public const int MaxKeysEach = 4096;

    private readonly WrappingKeyFiles _files;
    private readonly ILogger _log;
    private readonly ConcurrentDictionary<long, WrappingKey> _keys = new();
    private readonly Lock _gate = new();
    private WrappingKey? _own;
    private WrappingKey? _next;
    private Task _making = Task.CompletedTask;

    internal KeyRing(KeyOptions options, string dataFolder, TimeProvider clock, ILogger log)
    {
        _files = new(options.Folder ?? Path.Combine(dataFolder, "keys"), isOurs: options.Folder is null, clock, log);
        _log = log;
    }

    /// <summary>Where the wrapping keys are.</summary>
    public string Folder => _files.Folder;

    /// <summary>Wraps a key for one purpose: it is unwrapped only for the same. Blocks for the disk when a wrapping key must be made.</summary>
    /// <exception cref="IOException">No wrapping key can be made.</exception>
    public WrappedKey Wrap(ReadOnlySpan<byte> key, ReadOnlySpan<byte> purpose)
    {
        var own = Own();
        return new(own.Number, own.Wrap(key, purpose));
    }

    /// <summary>False when these octets were not wrapped by that key for that purpose: the row was changed, or is another's.</summary>
    /// <exception cref="WrappingKeyMissingException">The wrapping key's file is missing or damaged.</exception>
    public bool TryUnwrap(long wrappingKey, ReadOnlySpan<byte> wrapped, ReadOnlySpan<byte> purpose, Span<byte> key)
    {
        try
        {
            return Get(wrappingKey).TryUnwrap(wrapped, purpose, key);
        }
        catch (ObjectDisposedException)
        {
            return Get(wrappingKey).TryUnwrap(wrapped, purpose, key); // it was forgotten meanwhile
        }
    }

    /// <summary>Wraps with other keys than these from now on.</summary>
    public void Retire(IReadOnlyCollection<long> wrappingKeys)
    {
        lock (_gate)
        {
            if (_own is { } own && wrappingKeys.Contains(own.Number))
                _own = null;
            if (_next is { } next && wrappingKeys.Contains(next.Number))
            {
                next.Dispose();
                _next = null;
            }
        }
    }

    /// <summary>Retires these keys and drops them from memory: they are read from their files again where those are still there.</summary>
    public void Forget(IReadOnlyCollection<long> wrappingKeys)
    {
        Retire(wrappingKeys);
        foreach (var number in wrappingKeys)
            if (_keys.TryRemove(number, out var key))
                key.Dispose();
    }

    /// <summary>
    /// Destroys a wrapping key: overwrites and deletes its file, forgets it. What it wraps cannot be read any more, in no copy of the database
    /// either: <see cref="KeyRetirement"/> sees to it that nothing is lost with it that is to stay. Blocks for the disk.
    /// </summary>
    internal void Destroy(long wrappingKey)
    {
        _files.Destroy(wrappingKey);
        Forget([wrappingKey]);
    }

    /// <summary>Where that wrapping key is, or would be.</summary>
    public string PathOf(long wrappingKey) => _files.PathOf(wrappingKey);

    /// <summary>What that wrapping key is called in events and certificates: as its file, without the end.</summary>
    public string NameOf(long wrappingKey) => Path.GetFileNameWithoutExtension(PathOf(wrappingKey));

    /// <summary>The numbers of the wrapping keys whose files are there.</summary>
    public IReadOnlyList<long> Numbers() => _files.Numbers();

    /// <summary>Null when the wrapping key can be used, else why not. Reads the file.</summary>
    public string? FaultOf(long wrappingKey)
    {
        try
        {
            _files.Read(wrappingKey).Dispose();
            return null;
        }
        catch (WrappingKeyMissingException e)
        {
            return e.Message;
        }
    }

    // Another process may have made it after we started: what is not in memory is looked for each time.
    private WrappingKey Get(long number)
    {
        if (_keys.TryGetValue(number, out var key))
            return key;
        var read = _files.Read(number);
        var kept = _keys.GetOrAdd(number, read);
        if (kept != read)
            read.Dispose();
        return kept;
    }

    private WrappingKey Own()
    {
        lock (_gate)
        {
            if (_own is null || _own.Wrapped == MaxKeysEach)
            {
                (_own, _next) = (_next ?? _files.Make(), null);
                _keys[_own.Number] = _own;
            }
            if (++_own.Wrapped == MaxKeysEach / 2)
                _making = Task.Run(MakeNext);
            return _own;
        }
    }

    // Ahead of its need, so that nobody waits for the disk. Where it fails it is made when it is needed, and fails there.
    private void MakeNext()
    {
        try
        {
            var made = _files.Make();
            lock (_gate)
                _next = made;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _log.NextKeyFailed(e);
        }
    }

    public void Dispose()
    {
        // Whoever deletes the folder afterwards finds nobody who still writes to it.
        Task making;
        lock (_gate)
            making = _making;
        making.Wait();
        lock (_gate)
            _next?.Dispose();
        foreach (var key in _keys.Values)
            key.Dispose();
        _keys.Clear();
    }
}
