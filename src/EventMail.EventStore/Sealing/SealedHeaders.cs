using System.Runtime.CompilerServices;
using System.Text;

namespace EventMail.EventStore;

/// <summary>
/// The sealed headers of sessions, by the one string that all events of a session share and the key they are sealed with. The committer's: not
/// thread-safe.
/// </summary>
internal sealed class SealedHeaders(SubjectKeys keys)
{
    // Sessions whose events alternate. Two that share a slot make theirs anew.
    private const int Slots = 4096;

    private readonly (string? Json, SubjectKey? Key, byte[]? Canonical)[] _slots = new (string?, SubjectKey?, byte[]?)[Slots];
    private readonly JsonOctets _plain = new(), _rest = new(), _taken = new();
    private int _erasures;

    /// <summary>In canonical form, without the member hash; null when nothing of them is personal.</summary>
    public byte[]? Of(string json, SubjectKey key, string subject)
    {
        ForgetErased();
        ref var slot = ref _slots[(uint)HashCode.Combine(RuntimeHelpers.GetHashCode(json), key.Hash) % Slots];
        // A key that is read once more is another object, and the same key.
        if (!ReferenceEquals(slot.Json, json) || slot.Key?.IsSameAs(key) != true)
            slot = (json, key, Seal(json, key, subject));
        return slot.Canonical;
    }

    private byte[]? Seal(string json, SubjectKey key, string subject)
    {
        _plain.Clear();
        _plain.Take(Encoding.UTF8.GetBytes(json, _plain.Room(Encoding.UTF8.GetMaxByteCount(json.Length))));
        return HeaderBox.Seal(_plain.Written, key, subject, _rest, _taken);
    }

    // A slot has a key, and what it sealed.
    private void ForgetErased()
    {
        if (keys.Erasures is var erasures && erasures == _erasures)
            return;
        _erasures = erasures;
        Array.Clear(_slots);
    }
}
