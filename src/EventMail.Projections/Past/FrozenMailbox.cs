using System.Security.Cryptography;
using System.Text;
using EventMail.Domain.Mailboxes;
using EventMail.EventStore;
using EventMail.Projections.Mailboxes;

namespace EventMail.Projections.Past;

/// <summary>A handle on a mailbox as it was: nothing moves it, and it lets nothing be changed.</summary>
internal sealed class FrozenMailbox(MailboxRef mailbox, MailboxState state, OpenMessages held) : OpenMailbox(mailbox)
{
    private int _closed;

    internal override MailboxState State => state;

    public override StreamKey Key { get; } = mailbox.Key with { Id = IdOf(mailbox.Prefix, mailbox.Key.Id) };

    public override uint ClaimRecent(uint upTo) => FirstUnclaimed;

    public override uint FirstUnclaimed => state.RecentFrom;

    private protected override void Close()
    {
        // Nobody follows it. It may be left twice, and is given back once.
        if (Interlocked.Exchange(ref _closed, 1) == 0)
            held.Release(state.Messages);
    }

    /// <summary>RFC 8474 §4: no two mailboxes have one MAILBOXID, and that of now is one beside those of the past. UUIDv8 (RFC 9562 §5.8).</summary>
    public static Guid IdOf(string prefix, Guid mailbox)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes($"eventmail:past:{prefix}{mailbox}"), hash);
        hash[6] = (byte)((hash[6] & 0x0F) | 0x80);
        hash[8] = (byte)((hash[8] & 0x3F) | 0x80);
        return new(hash[..16], bigEndian: true);
    }
}
