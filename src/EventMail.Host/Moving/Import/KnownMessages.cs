using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using EventMail.Domain.Mailboxes;
using EventMail.EventStore;

namespace EventMail.Host.Moving.Import;

/// <summary>
/// What was put into a mailbox so far, as its log says: what an import asks so that it can be repeated. A message is there when one with the same
/// octets and the same date was appended as often as the source has it, or when its event's cause is its name at the source. What was
/// expunged since counts as well: an import that is repeated does not bring back what somebody deleted.
/// </summary>
internal sealed class KnownMessages
{
    // Some forty octets for each message of a mailbox.
    private readonly Dictionary<(UInt128 Digest, long Date), int> _counts = [];
    private readonly Dictionary<UInt128, (UInt128 Digest, long Date)> _named = [];

    public static async Task<KnownMessages> LoadAsync(EventReader reader, StreamKey mailbox, CancellationToken cancel)
    {
        var known = new KnownMessages();
        await foreach (var e in reader.ReadStreamAsync(mailbox, types: ["message_appended"], cancel: cancel))
        {
            if (e.Data is not MessageAppended appended)
                continue;
            var key = KeyOf(Convert.FromHexString(appended.Content.Sha256), appended.InternalDate);
            known._counts[key] = known._counts.GetValueOrDefault(key) + 1;
            if (e.Metadata.CausationId is { } cause)
                known._named[NameOf(cause)] = key;
        }
        return known;
    }

    /// <summary>A message of this name was put here; its like is not counted for another one then.</summary>
    public bool TakeNamed(string name) => _named.Remove(NameOf(name), out var key) && (Take(key) || true);

    public bool Take(ReadOnlySpan<byte> digest, DateTimeOffset date) => Take(KeyOf(digest, date));

    private bool Take((UInt128, long) key)
    {
        if (!_counts.Remove(key, out var count))
            return false;
        if (count > 1)
            _counts[key] = count - 1;
        return true;
    }

    private static (UInt128, long) KeyOf(ReadOnlySpan<byte> digest, DateTimeOffset date) =>
        (BinaryPrimitives.ReadUInt128LittleEndian(digest), date.ToUnixTimeSeconds());

    private static UInt128 NameOf(string name) => BinaryPrimitives.ReadUInt128LittleEndian(SHA256.HashData(Encoding.UTF8.GetBytes(name)));
}
