using EventMail.Domain;
using EventMail.Domain.Mailboxes;
using EventMail.EventStore;
using EventMail.Projections.Quotas;

namespace EventMail.Projections.Mailboxes;

/// <summary>A command on mailboxes; what it answers is its Result.</summary>
internal abstract class MailboxCommand(EventMetadata metadata) : Command
{
    public override EventMetadata Metadata => metadata;

    /// <summary>The decision's value; null when it was refused, which the executor has been told then.</summary>
    protected static T? Accept<T>(Decision decision, Result<T> result) where T : class
    {
        if (result.Rejection is { } rejection)
            decision.Reject(rejection);
        return result.Value;
    }

    /// <summary>False when it was refused: who acts lacks a right now, whatever it was when they were asked for.</summary>
    protected static bool Allows(Decision decision, MailboxRef mailbox, MailboxState state, Rights needed)
    {
        if (mailbox.Refuse(state, needed) is not { } rejection)
            return true;
        decision.Reject(rejection);
        return false;
    }

    protected static bool Allows(Decision decision, MailboxRef mailbox, Rights needed) =>
        Allows(decision, mailbox, decision.State<MailboxState>(mailbox.Key), needed);
}

/// <summary>How much mail an account may have: what a command that adds to one account's asks.</summary>
internal sealed record QuotaCheck(QuotaGuard Guard, string Account, string Address)
{
    /// <returns>False when the command was deferred or refused.</returns>
    public bool Allows(Decision decision, long bytes, long messages)
    {
        if (Guard(decision, Account, bytes, messages) is not { } usage)
            return false;
        if (usage.HasRoomFor(bytes, messages))
        {
            decision.RequireRoom(Account, usage, bytes, messages);
            return true;
        }
        decision.Result = new QuotaRefusal(Account, Address, usage, bytes);
        decision.Reject(Rejection.OverQuota);
        return false;
    }
}

/// <summary>A command that decides on the messages of one mailbox: waits for its view where that is not in memory.</summary>
internal abstract class ViewCommand(StreamKey mailbox, MailboxViews views, EventMetadata metadata) : MailboxCommand(metadata)
{
    protected StreamKey Mailbox { get; } = mailbox;

    public override IReadOnlyList<StreamRef> Streams { get; } = [MailboxKind.Stream(mailbox)];

    public sealed override void Decide(Decision decision)
    {
        var state = decision.State<MailboxState>(Mailbox);
        if (state.View is null && state.Exists)
            decision.Defer(cancel => views.EnsureAsync(Mailbox, cancel));
        else
            Decide(decision, state);
    }

    protected abstract void Decide(Decision decision, MailboxState state);
}
