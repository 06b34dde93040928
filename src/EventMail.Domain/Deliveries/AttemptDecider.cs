using System.Globalization;
using EventMail.Domain.Deliveries.Notifications;

namespace EventMail.Domain.Deliveries;

/// <summary>
/// What comes of attempts. Nobody is lost: whoever was tried is afterwards delivered, failed, or waits for the next attempt.
/// </summary>
public static class AttemptDecider
{
    /// <summary>RFC 3463 §3.5: delivery time expired.</summary>
    public const string Expired = "5.4.7";

    /// <summary>Characters of a remote host's words that are kept.</summary>
    public const int MaxText = 1000;

    // Whoever is told that it failed must not believe that nobody has it.
    private const string Perhaps = " (it is not known whether it arrived)";

    private static readonly RecipientOutcome NotReported = new(0, OutcomeKind.Deferred, 0, "4.4.0", "No outcome was reported", null);

    /// <summary>The outcome of an attempt that was begun.</summary>
    /// <param name="attempt">Its number. One that somebody else has taken over by now counts for those it delivered to, and no others.</param>
    /// <param name="random">From 0 to 1, for the jitter.</param>
    public static Settlement Record(
        DeliveryState state, string domain, int attempt, AttemptReport report, string node, DateTimeOffset now, DeliveryRules rules, double random)
    {
        var events = new List<object>(report.Hosts.Count + 2);
        foreach (var host in report.Hosts)
            events.Add(new DeliveryAttempted(
                attempt, domain, host.Recipients, host.Host, host.RemoteAddress, host.Tls, host.Code, host.Enhanced, Clip(host.Text),
                host.Stage, host.Milliseconds));
        if (state.Find(domain) is not { } destination)
            return new(events, []);

        var outcomes = OutcomesOf(destination, report);
        var notices = new List<SenderNotice>();
        Deliver(state, outcomes.FindAll(o => o.Kind == OutcomeKind.Delivered), now, events, notices);
        if (destination.UnderWay?.Attempt != attempt)
            return new(events, notices);
        Fail(state, outcomes.FindAll(o => o.Kind == OutcomeKind.Failed), events, notices);
        var waiting = outcomes.FindAll(o => o.Kind is OutcomeKind.Deferred or OutcomeKind.CutOff or OutcomeKind.Unknown);
        if (waiting.Count == 0)
            return new(events, notices);
        // A message that was not tried to the end has not had this try.
        var isFree = waiting.Exists(o => o.Kind == OutcomeKind.CutOff);
        Defer(
            state, destination, attempt, waiting, node, now, rules,
            isFree ? rules.UnknownWait : rules.Wait(destination.Retries, random), destination.Retries + (isFree ? 0 : 1), events, notices);
        return new(events, notices);
    }

    /// <summary>The attempt that is under way is nobody's any more: whoever made it died.</summary>
    public static Settlement GiveUp(DeliveryState state, string domain, DateTimeOffset now, DeliveryRules rules, double random)
    {
        if (state.Find(domain) is not { UnderWay: { } lost } destination)
            return Settlement.Nothing;
        var isFree = destination.Unknowns < rules.FreeUnknowns;
        var events = new List<object>();
        var notices = new List<SenderNotice>();
        var outcomes = destination.Recipients
            .Select(recipient => new RecipientOutcome(recipient, OutcomeKind.Unknown, 0, "4.4.0", "The outcome of an attempt is unknown", null)).ToList();
        Defer(
            state, destination, lost.Attempt, outcomes, lost.Node, now, rules,
            isFree ? rules.UnknownWait : rules.Wait(destination.Retries, random), destination.Retries + (isFree ? 0 : 1), events, notices);
        return new(events, notices);
    }

    /// <summary>DELIVERBY's time is up (RFC 2852 §4.1.3: then it is returned and must not be relayed), and nobody is trying.</summary>
    public static bool IsExpired(DeliveryState state, DateTimeOffset now) => state.Message?.DeliverBy is { Mode: "R" } by && by.At <= now;

    /// <inheritdoc cref="IsExpired"/>
    public static Settlement Expire(DeliveryState state, string domain, DateTimeOffset now)
    {
        if (state.Find(domain) is not { UnderWay: null } destination || !IsExpired(state, now))
            return Settlement.Nothing;
        var events = new List<object>();
        var notices = new List<SenderNotice>();
        Fail(state, [.. destination.Recipients.Select(recipient => new RecipientOutcome(
            recipient, OutcomeKind.Failed, 0, Expired, InTime(destination.Reason), null))], events, notices);
        return new(events, [.. notices.Select(notice => notice with { IsOfAttempt = false })]);
    }

    // The first word on each of those who were still to get it.
    private static List<RecipientOutcome> OutcomesOf(Destination destination, AttemptReport report)
    {
        var outcomes = new List<RecipientOutcome>(destination.Recipients.Length);
        var said = new Dictionary<int, RecipientOutcome>();
        foreach (var outcome in report.Outcomes)
            said.TryAdd(outcome.Recipient, outcome with { Text = Clip(outcome.Text) });
        foreach (var recipient in destination.Recipients)
            outcomes.Add(said.TryGetValue(recipient, out var outcome) ? outcome : NotReported with { Recipient = recipient });
        return outcomes;
    }

    private static void Deliver(
        DeliveryState state, List<RecipientOutcome> outcomes, DateTimeOffset now, List<object> events, List<SenderNotice> notices)
    {
        foreach (var group in outcomes.GroupBy(o => (o.Code, o.Enhanced, o.Text, o.RelayedDsn)))
            events.Add(new RecipientDelivered(
                Positions(group), group.Key.Code, group.Key.Enhanced, group.Key.Text, null, null, group.Key.RelayedDsn));
        // RFC 3461 §5.2.2: whoever took it without DSN will never tell of its delivery.
        var told = outcomes.FindAll(o => state.Message!.Recipients[o.Recipient].Notify is var notify
            && ((!o.RelayedDsn && notify.HasFlag(NotifyOn.Success)) || TimeLimit.TellsOfRelay(state.Message.DeliverBy, notify, o.RelayedTime, now)));
        if (told.Count > 0)
            notices.Add(new(DeliveryActions.Relayed, [.. told.Select(o => Noticed(o, null))]));
    }

    private static void Fail(DeliveryState state, List<RecipientOutcome> outcomes, List<object> events, List<SenderNotice> notices)
    {
        foreach (var group in outcomes.GroupBy(o => (o.Code, o.Enhanced, o.Text, o.Host)))
            events.Add(new RecipientFailed(Positions(group), group.Key.Code, group.Key.Enhanced, group.Key.Text, group.Key.Host));
        Tell(state, DeliveryActions.Failed, NotifyOn.Failure, outcomes, notices);
    }

    private static void Defer(
        DeliveryState state, Destination destination, int attempt, List<RecipientOutcome> outcomes, string node, DateTimeOffset now,
        DeliveryRules rules, TimeSpan? wait, int retries, List<object> events, List<SenderNotice> notices)
    {
        if (IsExpired(state, now) || wait is not { } until)
        {
            GiveBack(state, destination, outcomes, now, events, notices);
            return;
        }
        var next = now + until;
        if (state.Message!.DeliverBy is { } by && by.At > now && by.At < next)
            next = by.At;
        foreach (var group in outcomes.GroupBy(o => (o.Kind, o.Code, o.Enhanced, o.Text, o.Host)))
            events.Add(group.Key.Kind == OutcomeKind.Unknown
                ? new DeliveryOutcomeUnknown(attempt, Positions(group), node, next, retries)
                : new DeliveryDeferred(
                    attempt, Positions(group), next, retries, group.Key.Code, group.Key.Enhanced, group.Key.Text, group.Key.Host));
        var last = LastRetry(state, next, retries, rules);
        if (TimeLimit.IsToBeTold(state.Message.DeliverBy, destination, now))
            Tell(state, DeliveryActions.Delayed, NotifyOn.Delay, outcomes, notices, last, TimeLimit.ExpiredSoFar);
        else if (!destination.Warned && now >= state.Released + rules.WarnAfter)
            Tell(state, DeliveryActions.Delayed, NotifyOn.Delay, outcomes, notices, last);
    }

    // The retries, or the sender's patience, are used up.
    private static void GiveBack(
        DeliveryState state, Destination destination, List<RecipientOutcome> outcomes, DateTimeOffset now, List<object> events,
        List<SenderNotice> notices)
    {
        foreach (var group in outcomes.GroupBy(o => (o.Kind, o.Code, o.Enhanced, o.Text, o.Host)))
        {
            var last = DeliveryReply.Line(group.Key.Code, group.Key.Enhanced, group.Key.Text);
            if (group.Any(outcome => outcome.Kind == OutcomeKind.Unknown))
                last += Perhaps;
            var text = IsExpired(state, now)
                ? InTime(last)
                : string.Create(CultureInfo.InvariantCulture, $"Given up after {destination.Attempts} attempts; the last one: {last}");
            events.Add(new RecipientFailed(Positions(group), group.Key.Code, Expired, Clip(text), group.Key.Host));
        }
        Tell(state, DeliveryActions.Failed, NotifyOn.Failure, outcomes, notices, enhanced: Expired);
    }

    private static string InTime(string? last) =>
        Clip($"Not delivered in the time that the sender gave it{(last is null ? "" : $"; the last attempt: {last}")}");

    private static DateTimeOffset LastRetry(DeliveryState state, DateTimeOffset next, int retries, DeliveryRules rules)
    {
        var last = next + rules.Remaining(retries);
        return state.Message!.DeliverBy is { Mode: "R" } by && by.At < last ? by.At : last;
    }

    /// <param name="enhanced">Null: as the outcome has it.</param>
    private static void Tell(
        DeliveryState state, string action, NotifyOn on, List<RecipientOutcome> outcomes, List<SenderNotice> notices,
        DateTimeOffset? willRetryUntil = null, string? enhanced = null)
    {
        var told = outcomes.FindAll(o => (state.Message!.Recipients[o.Recipient].Notify & on) != 0)
            .ConvertAll(o => Noticed(o, willRetryUntil) with { Enhanced = enhanced ?? o.Enhanced });
        if (told.Count > 0)
            notices.Add(new(action, told) { TimeIsUp = enhanced == TimeLimit.ExpiredSoFar });
    }

    private static NoticedRecipient Noticed(RecipientOutcome o, DateTimeOffset? until) =>
        new(o.Recipient, o.Enhanced, o.Code, DeliveryReply.Line(0, o.Enhanced, o.Text) + (o.Kind == OutcomeKind.Unknown ? Perhaps : ""), o.Host, until);

    private static int[] Positions(IEnumerable<RecipientOutcome> outcomes) => [.. outcomes.Select(o => o.Recipient)];

    private static string Clip(string text) => text.Length > MaxText ? text[..MaxText] : text;
}
