using EventMail.Domain;
using EventMail.Domain.Mailboxes;
using EventMail.Projections.Mailboxes;

namespace EventMail.Projections.Maildrops;

/// <summary>
/// What a POP3 session sees of INBOX: its messages as they were at login, numbered from 1 (RFC 1939 §4), and nobody else's until it
/// is disposed. Messages that IMAP expunges meanwhile stay readable and keep their numbers. Not thread-safe.
/// </summary>
public sealed class Maildrop : IAsyncDisposable
{
    private readonly MailboxService _mailboxes;
    private readonly OpenMailbox _inbox;
    private readonly MaildropLock _lock;
    private readonly IReadOnlyDictionary<long, MaildropForm> _forms;
    private readonly bool _utf8;

    /// <param name="forms">The contents that are not sent as they are stored.</param>
    /// <param name="utf8">The session is in UTF-8 mode (RFC 6856 §2.1).</param>
    internal Maildrop(
        MailboxService mailboxes, OpenMailbox inbox, MailboxView view, MaildropLock taken, IReadOnlyDictionary<long, MaildropForm> forms, bool utf8)
    {
        (_mailboxes, _inbox, _lock, _forms, _utf8) = (mailboxes, inbox, taken, forms, utf8);
        View = view;
        Octets = View.Bytes + Surplus();
    }

    /// <summary>The snapshot.</summary>
    public MailboxView View { get; }

    /// <summary>Whose snapshot it is.</summary>
    public OpenMailbox Mailbox => _inbox;

    public uint UidValidity => _inbox.UidValidity;

    public int Count => View.Count;

    /// <summary>The sum of all messages' octets as RETR sends them.</summary>
    public long Octets { get; }

    /// <summary>Another session may have the maildrop by now: end without removing anything.</summary>
    public bool IsLost => _lock.IsLost;

    /// <summary>What RETR sends of a message, without dot-stuffing and the closing line (RFC 1939 §11).</summary>
    public long OctetsOf(long content, uint size) =>
        _forms.Count > 0 && _forms.TryGetValue(content, out var form) ? (_utf8 ? form.Octets : form.AsciiOctets ?? form.Octets) : size;

    /// <summary>The message's header must be sent as a surrogate (RFC 6858).</summary>
    public bool NeedsSurrogate(long content) =>
        !_utf8 && _forms.Count > 0 && _forms.TryGetValue(content, out var form) && form is { IsInternationalized: true, AsciiOctets: not null };

    /// <summary>The message cannot be sent in this mode at all (RFC 6856 §5).</summary>
    public bool NeedsUtf8(long content) =>
        !_utf8 && _forms.Count > 0 && _forms.TryGetValue(content, out var form) && form.AsciiOctets is null;

    /// <summary>Removes messages as one event (RFC 1939 §6); durable when it returns. What is gone already counts as removed.</summary>
    public async Task<Rejection?> RemoveAsync(UidSet uids, Actor actor, string cause, CancellationToken cancel) =>
        (await _mailboxes.RemoveAsync(_inbox, uids, actor, cause, cancel)).Rejection;

    /// <summary>Marks messages as \Seen that are not yet.</summary>
    public async Task<Rejection?> MarkSeenAsync(UidSet uids, Actor actor, string cause, CancellationToken cancel)
    {
        var seen = await _mailboxes.StoreAsync(
            _inbox, uids, StoreMode.Add, [SystemFlags.Names[0]], unchangedSince: null, actor, cause, cancel);
        return seen.Rejection;
    }

    /// <summary>Gives the maildrop to whoever asks next.</summary>
    public async ValueTask DisposeAsync()
    {
        _inbox.Dispose();
        await _lock.DisposeAsync();
    }

    private long Surplus()
    {
        if (_forms.Count == 0)
        {
            return 0;
        }

        var surplus = 0L;
        foreach (var slice in View.Slices())
        {
            for (var i = 0; i < slice.Length; i++)
            {
                surplus += OctetsOf(slice.Contents[i], slice.Sizes[i]) - slice.Sizes[i];
            }
        }

        return surplus;
    }
}
