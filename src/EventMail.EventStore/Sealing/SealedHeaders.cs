using System.Runtime.CompilerServices;
using System.Text;

namespace EventMail.EventStore;

/// <summary>
/// The sealed headers of sessions, by the one string that all events of a session share and the key they are sealed with. The committer's: not
/// thread-safe.
/// </summary>
internal sealed class SealedHeaders
{
    // Sessions whose events alternate. Two that share a slot make theirs anew.
    private const int Slots = 1024;

    private readonly (string? Json, SubjectKey? Key, byte[]? Canonical)[] _slots = new (string?, SubjectKey?, byte[]?)[Slots];

    /// <summary>In canonical form, without the member hash; null when nothing of them is personal.</summary>
    public byte[]? Of(string json, SubjectKey key, string subject)
    {
        ref var slot = ref _slots[(uint)HashCode.Combine(RuntimeHelpers.GetHashCode(json), key.Hash) % Slots];
        // A key that was made here is read once more when its maker hears of it.
        if (!ReferenceEquals(slot.Json, json) || slot.Key?.IsSameAs(key) != true)
            slot = (json, key, HeaderBox.Seal(Encoding.UTF8.GetBytes(json), key, subject));
        return slot.Canonical;
    }
}
