using EventMail.Domain.Mailboxes;
using EventMail.EventStore;

namespace EventMail.Projections.Mailboxes;

/// <summary>
/// A new account's mailboxes as a part of the command that opens the account: its <see cref="Streams"/> are among the command's, and
/// the command's Decide calls <see cref="Decide"/>.
/// </summary>
public sealed class NewAccountMailboxes
{
    private readonly StreamKey[] _keys;

    /// <param name="account">The account's id.</param>
    public NewAccountMailboxes(string account)
    {
        _keys = [.. DefaultMailboxes.All.Select(_ => new StreamKey(account, Guid.CreateVersion7()))];
        Streams = [.. _keys.Select(MailboxKind.Stream)];
    }

    public IReadOnlyList<StreamRef> Streams { get; }

    public StreamKey Inbox => _keys[0];

    public void Decide(Decision decision)
    {
        for (var i = 0; i < _keys.Length; i++)
        {
            var (name, specialUse) = DefaultMailboxes.All[i];
            decision.Append(_keys[i], new MailboxCreated(name, (uint)(decision.Now.ToUnixTimeSeconds() + i), specialUse));
        }
    }
}

/// <summary>All mailboxes of an account as a part of the command that closes it; used as <see cref="NewAccountMailboxes"/>.</summary>
public sealed class ClosedAccountMailboxes
{
    private readonly IReadOnlyList<StreamKey> _keys;

    internal ClosedAccountMailboxes(IReadOnlyList<StreamKey> keys)
    {
        _keys = keys;
        Streams = [.. keys.Select(MailboxKind.Stream)];
    }

    public IReadOnlyList<StreamRef> Streams { get; }

    public void Decide(Decision decision)
    {
        foreach (var key in _keys)
        {
            if (MailboxDecider.DeleteWithAccount(decision.State<MailboxState>(key)) is { } e)
                decision.Append(key, e);
        }
    }
}
