using EventMail.Domain;
using EventMail.Domain.Accounts;
using EventMail.Domain.Deliveries;
using EventMail.Domain.Mailboxes;
using EventMail.EventStore;
using EventMail.Projections.Accounts;
using EventMail.Projections.Deliveries;
using EventMail.Projections.Mailboxes;
using EventMail.Projections.Metadata;
using EventMail.Projections.Past;
using EventMail.Projections.Reading;

namespace EventMail.Projections.Restoring;

/// <summary>What was undone of a session, or would be.</summary>
/// <param name="Subscriptions">Names whose subscription is as before.</param>
/// <param name="Cancelled">Messages that it handed in and that are taken out of the queue.</param>
/// <param name="Sent">Messages that it handed in and that reached everybody they could: nobody brings them back.</param>
/// <param name="Left">Streams of other kinds that it wrote to, by kind: what it did there stays.</param>
public sealed record UndoneSession(
    IReadOnlyList<RestoredMailbox> Mailboxes, int Subscriptions, int Cancelled, int Sent, IReadOnlyList<string> Left)
{
    /// <summary>Annotations of mailboxes and of the server that are as before.</summary>
    public int Annotations { get; init; }

    /// <summary>Accounts that were not asked for and in which it wrote as well: shared mailboxes are other accounts'.</summary>
    public int OtherAccounts { get; init; }

    /// <summary>Accounts that it opened: they stay as they are, with their mailboxes and what is in them.</summary>
    public IReadOnlyList<MadeAccount> Made { get; init; } = [];

    /// <summary>The session wrote something.</summary>
    public bool Found { get; init; }
}

/// <summary>
/// Undoes what a session did: each mailbox that it touched becomes what it would be without the session, with all that others did since. Messages
/// that it expunged come back, those that it brought go, flags, names, rights and subscriptions are as if it had not been. Doing it
/// again does nothing more. An account that it opened is left whole. Thread-safe.
/// </summary>
public sealed class SessionUndo(EventLog log, MailboxService mailboxes, PastMailboxes past, DeliveryOperations deliveries)
{
    /// <summary>Hears, as they are done, how many messages of a mailbox are back.</summary>
    public IProgress<long>? Progress { get; init; }

    /// <summary>A mailbox that the session wrote to.</summary>
    /// <param name="Name">What it is called; null: it is deleted.</param>
    private sealed record Touched(SessionStream Stream, string? Name)
    {
        public StreamKey Key => Stream.Key;

        /// <summary>As it is without the session.</summary>
        public required MailboxState Without { get; set; }

        /// <summary>Null: without the session there is none, whatever others have put into it since.</summary>
        public string? NameWithout => Without is { Exists: true, Name: { Length: > 0 } name } ? name : null;

        public MailboxRestorer.Place? Place { get; set; }

        public RestoredMailbox? Line { get; set; }
    }

    /// <param name="session">The id that `history` shows.</param>
    /// <param name="account">Only in this account (its id); null: wherever the session was.</param>
    public async Task<UndoneSession> UndoAsync(
        string session, string? account, bool dryRun, Actor actor, IProgress<RestoredMailbox>? told, CancellationToken cancel)
    {
        var cause = $"undo {session}";
        var all = await SessionStreams.ReadAsync(log, session, cancel);
        var streams = account is null ? all : [.. all.Where(stream => stream.Key.Tenant == account)];
        var made = streams.Where(stream => stream.Kind == AccountKindName && stream.Types.Contains(MadeAccount.Event)).Select(stream => stream.Key.Tenant).ToHashSet();
        // What it submitted is taken out of the queue wherever it was.
        var undone = streams.FindAll(stream => !made.Contains(stream.Key.Tenant));
        var restorer = new MailboxRestorer(mailboxes, past, log.Executor, actor.Because(cause), dryRun, Progress);
        var touched = new List<Touched>();
        foreach (var stream in undone.Where(stream => stream.Kind == MailboxKind.Instance.Name))
        {
            var now = await mailboxes.Views.LoadAsync(stream.Key, cancel);
            touched.Add(new(stream, now.Exists ? now.Name : null) { Without = await WithoutAsync(stream, session, cause, cancel) });
        }

        // All that was lost is back before anything goes, but for what stands where something belongs.
        var names = touched.Where(mailbox => mailbox.NameWithout is not null).Select(mailbox => (mailbox.Key.Tenant, mailbox.NameWithout)).ToHashSet();
        foreach (var mailbox in touched.Where(mailbox => mailbox.NameWithout is null && names.Contains((mailbox.Key.Tenant, mailbox.Name))))
            await RemoveAsync(mailbox, restorer, cancel);
        foreach (var mailbox in await restorer.InOrderAsync(touched, mailbox => mailbox.Key, mailbox => mailbox.NameWithout, cancel))
            await BringBackAsync(mailbox, restorer, cancel);
        // What came back into another mailbox than its own stays there.
        foreach (var mailbox in touched.Where(mailbox => !dryRun && touched.Exists(other => other != mailbox && other.Place?.Key == mailbox.Key)))
            mailbox.Without = await WithoutAsync(mailbox.Stream, session, cause, cancel);
        foreach (var mailbox in touched)
        {
            await TakeAwayAsync(mailbox, restorer, actor.Because(cause), cancel);
            told?.Report(mailbox.Line!);
        }
        var (cancelled, sent) = await CancelAsync(streams, dryRun, actor, cancel);
        var annotations = 0;
        foreach (var stream in undone.Where(stream => stream.Kind == MetadataKind.Instance.Name))
        {
            annotations += await new AnnotationsBack(log, actor.Because(cause), dryRun).RestoreAsync(
                new(MetadataKind.Instance, stream.Key), e => e.Metadata.CorrelationId != session && e.Metadata.CausationId != cause, removeLater: true, cancel);
        }
        return new(
            [.. touched.Select(mailbox => mailbox.Line!)], await SubscriptionsAsync(undone, session, cause, dryRun, actor, cancel), cancelled, sent,
            [.. streams.Where(stream => !IsUndone(stream)).Select(stream => stream.Kind).Distinct(StringComparer.Ordinal)])
        {
            Annotations = annotations,
            Made = await MadeAsync(made, cancel),
            Found = streams.Count > 0,
            OtherAccounts = all.Where(stream => Undone.Contains(stream.Kind)).Select(stream => stream.Key.Tenant).Where(tenant => account is not null && tenant != account).Distinct().Count(),
        };
    }

    private async Task<IReadOnlyList<MadeAccount>> MadeAsync(IEnumerable<string> accounts, CancellationToken cancel)
    {
        var made = new List<MadeAccount>();
        foreach (var account in accounts.Order(StringComparer.Ordinal))
            made.Add(await MadeAccount.ReadAsync(log, account, cancel));
        return made;
    }

    private static readonly string AccountKindName = AccountStreamKinds.AccountStream("").Kind.Name;

    private static readonly string[] Undone = [MailboxKind.Instance.Name, DeliveryKind.Instance.Name, MetadataKind.Instance.Name];

    // Of an account's own stream: whoever changed a password, an operator must know of it.
    private static readonly string[] Subscribing = ["mailbox_subscribed", "mailbox_unsubscribed"];

    // That somebody logged in, and what they read, stays true.
    private static readonly string[] Facts = ["login", ReadingKind.Instance.Name];

    private static bool IsUndone(SessionStream stream) =>
        Undone.Contains(stream.Kind) || Facts.Contains(stream.Kind) || (stream.Kind == AccountKindName && stream.Types.IsSubsetOf(Subscribing));

    // What was brought back before, by this undo or another restore, is there under the UID that it got then: whatever became of that since stays so.
    private async Task<MailboxState> WithoutAsync(SessionStream stream, string session, string cause, CancellationToken cancel)
    {
        var state = await past.OpenAsync(stream.Key, stream.First - 1, cancel);
        // As it was when others deleted it: what is in it then only a restore brings back.
        var deleted = default(MailboxState);
        if (state.Deleted)
            (deleted, state) = (state, Emptied(state, state.Version, default));
        await foreach (var e in log.Reader.ReadStreamAsync(stream.Key, stream.First, cancel: cancel))
        {
            if (e.Metadata.CausationId == cause ? e.Data is not MessagesRestored : e.Metadata.CorrelationId == session)
                continue;
            if (e.Data is MessagesRestored back && back.Source == stream.Key.Id
                && MailboxDecider.Remove(state, UidSet.Parse(back.SourceUids)).Value?.Event is { } sources)
                state = state.Evolve(sources, e.Version, e.Timestamp);
            if (e.Data is MailboxDeleted)
                (deleted, state) = (state, Emptied(state, e.Version, e.Timestamp));
            else if (e.Data is MailboxRestored && deleted is { } before)
                (deleted, state) = (null, before);
            state = state.Evolve(e.Data, e.Version, e.Timestamp);
        }
        return state;
    }

    private static MailboxState Emptied(MailboxState state, long version, DateTimeOffset time) =>
        MailboxDecider.Remove(state with { Deleted = false }, UidSet.OfRange(1, uint.MaxValue)).Value?.Event is { } all
            ? state.Evolve(all, version, time)
            : state;

    private async Task BringBackAsync(Touched mailbox, MailboxRestorer restorer, CancellationToken cancel)
    {
        if (mailbox.Line is not null)
            return;
        if (mailbox.NameWithout is not { } name)
        {
            // It made the mailbox, or others have deleted it since: nothing comes back.
            var now = await mailboxes.Views.LoadAsync(mailbox.Key, cancel);
            mailbox.Place = new(mailbox.Key, now, null, false, false);
            mailbox.Line = RestoreService.Line(now.Name, mailbox.Place, default);
            return;
        }
        var (place, refused) = await restorer.PlaceAsync(mailbox.Key, name, cancel);
        if (refused is not null)
        {
            mailbox.Line = RestoreService.Refused(name, refused);
            return;
        }
        mailbox.Place = place;
        var (counts, rejection) = await restorer.RestoreAsync(place!, Target(mailbox), cancel);
        mailbox.Line = rejection is null ? RestoreService.Line(name, place!, counts) : RestoreService.Refused(name, rejection);
    }

    // It was not there, and nobody else has put anything into it. What was moved into it is in the mailboxes from which it came, or will be: the log has it.
    private async Task<bool> RemoveAsync(Touched mailbox, MailboxRestorer restorer, CancellationToken cancel)
    {
        var now = await mailboxes.Views.LoadAsync(mailbox.Key, cancel);
        if (mailbox.NameWithout is not null || mailbox.Without.View!.Count > 0 || !now.Exists)
            return false;
        mailbox.Line = await restorer.DeleteAsync(mailbox.Key, cancel) is { } refused
            ? RestoreService.Refused(now.Name, refused)
            : RestoreService.Line(now.Name, new(mailbox.Key, now, null, false, false), new(0, 0, now.Messages)) with { Gone = true };
        return true;
    }

    private static RestoreTarget Target(Touched mailbox) => new(mailbox.Without.View!, mailbox.Key.Id, mailbox.Without.Version);

    private async Task TakeAwayAsync(Touched mailbox, MailboxRestorer restorer, EventMetadata metadata, CancellationToken cancel)
    {
        // Another mailbox that has the name by now keeps what it has.
        if (mailbox is not { Place: { } place, Line: { Refused: null } line } || place.Key != mailbox.Key || !place.Now.Exists
            || await RemoveAsync(mailbox, restorer, cancel))
            return;
        var now = place with { Now = (await mailboxes.Views.LoadAsync(mailbox.Key, cancel)) is { Exists: true } loaded ? loaded : place.Now };
        var (counts, rejection) = await restorer.RestoreAsync(now, Target(mailbox) with { Flags = false, RemoveLater = true }, cancel);
        if (rejection is null)
            rejection = await restorer.DoAsync(new AccessBackCommand(mailbox.Key, mailbox.Without.Acl, metadata), cancel);
        if (rejection is not null)
        {
            mailbox.Line = line with { Refused = rejection.Text };
            return;
        }
        mailbox.Line = line with { Removed = counts.Removed, Rights = AccessBackCommand.Changed(now.Now.Acl, mailbox.Without.Acl).Count() };
    }

    // What has reached nobody yet does not go out.
    private async Task<(int Cancelled, int Sent)> CancelAsync(List<SessionStream> streams, bool dryRun, Actor actor, CancellationToken cancel)
    {
        var (cancelled, sent) = (0, 0);
        foreach (var key in streams.Where(stream => stream.Kind == DeliveryKind.Instance.Name && stream.First == 1).Select(stream => stream.Key))
        {
            var waits = dryRun
                ? await deliveries.ShowAsync(key.Id, cancel) is { Over: false }
                : (await deliveries.CancelAsync(key, null, "the session that submitted it was undone", actor, cancel)).IsOk;
            if (waits)
                cancelled++;
            // Of several recipients some may have it. Who was taken out before is no news.
            if ((await deliveries.ShowAsync(key.Id, cancel))?.Recipients.Any(recipient => recipient.State is "delivered" || (!waits && recipient.State is not "cancelled")) == true)
                sent++;
        }
        return (cancelled, sent);
    }

    // Where the last word on a name is the session's, the one before it counts.
    private async Task<int> SubscriptionsAsync(
        List<SessionStream> streams, string session, string cause, bool dryRun, Actor actor, CancellationToken cancel)
    {
        var changed = 0;
        foreach (var stream in streams.Where(stream => stream.Kind == AccountKindName))
        {
            var (now, without) = (new Dictionary<string, bool>(StringComparer.Ordinal), new Dictionary<string, bool>(StringComparer.Ordinal));
            await foreach (var e in log.Reader.ReadStreamAsync(stream.Key, types: Subscribing, cancel: cancel))
            {
                var (name, on) = e.Data switch
                {
                    MailboxSubscribed subscribed => (subscribed.Name, true),
                    MailboxUnsubscribed unsubscribed => (unsubscribed.Name, false),
                    _ => ("", false), // a part of a row that is one of them as well
                };
                if (name.Length == 0)
                    continue;
                now[name] = on;
                if (e.Metadata.CorrelationId != session && e.Metadata.CausationId != cause)
                    without[name] = on;
                else
                    without.TryAdd(name, false);
            }
            foreach (var (name, on) in without.Where(pair => now[pair.Key] != pair.Value))
            {
                changed++;
                if (!dryRun)
                    await mailboxes.SubscribeAsync(stream.Key.Tenant, name, on, actor, cause, cancel);
            }
        }
        return changed;
    }
}
