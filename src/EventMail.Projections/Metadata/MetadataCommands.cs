using EventMail.Domain;
using EventMail.Domain.Mailboxes;
using EventMail.Domain.Metadata;
using EventMail.EventStore;
using EventMail.Projections.Mailboxes;

namespace EventMail.Projections.Metadata;

/// <summary>SETMETADATA on a mailbox, or of an account's private entries of the server.</summary>
/// <param name="mailbox">Must exist when it is decided; null for the server.</param>
internal sealed class SetMetadataCommand(
    StreamRef stream, MailboxRef? mailbox, IReadOnlyList<MetadataChange> changes, IReadOnlyList<AnnotationTotal> totals, EventMetadata metadata)
    : Command
{
    public override IReadOnlyList<StreamRef> Streams { get; } = mailbox is { } found ? [MailboxKind.Stream(found.Key), stream] : [stream];

    public override EventMetadata Metadata => metadata;

    public override void Decide(Decision decision)
    {
        if (mailbox is { } found && Refuse(decision.State<MailboxState>(found.Key), found) is { } rejection)
            decision.Reject(rejection);
        else
            Decide(decision, stream, mailbox?.Key.Id, changes, totals);
    }

    private static Rejection? Refuse(MailboxState state, MailboxRef mailbox) =>
        !state.Exists ? Rejection.MailboxMissing
        : mailbox.Refuse(state, Rights.Lookup) is { } rejection ? rejection
        : MetadataService.MayAnnotate(mailbox.RightsIn(state)) ? null
        : Rejection.NoPermission;

    public static void Decide(
        Decision decision, StreamRef stream, Guid? mailbox, IReadOnlyList<MetadataChange> changes, IReadOnlyList<AnnotationTotal> totals)
    {
        var state = decision.State<MetadataState>(stream.Key);
        var (e, rejection) = MetadataDecider.Set(state, mailbox, changes);
        if (e is not null)
            rejection = totals.Select(total => total.Refuse(stream.Key, state, state.Evolve(e))).FirstOrDefault(refused => refused is not null);
        if (rejection is not null)
            decision.Reject(rejection);
        else if (e is not null)
            decision.Append(stream.Key, e);
    }
}

/// <summary>SETMETADATA of what the server shows to all, with private entries beside it.</summary>
internal sealed class SetServerMetadataCommand(
    StreamRef server, IReadOnlyList<MetadataChange> shared, StreamRef account, IReadOnlyList<MetadataChange> own,
    IReadOnlyList<AnnotationTotal> totals, EventMetadata metadata)
    : Command
{
    public override IReadOnlyList<StreamRef> Streams { get; } = [server, account];

    public override EventMetadata Metadata => metadata;

    public override void Decide(Decision decision)
    {
        SetMetadataCommand.Decide(decision, server, null, shared, totals);
        SetMetadataCommand.Decide(decision, account, null, own, totals);
    }
}
