using EventMail.Domain.Deliveries;
using EventMail.Domain.Mailboxes;
using EventMail.Domain.Tests.Mailboxes;

namespace EventMail.Domain.Tests.Deliveries;

/// <summary>A message through any sequence of attempts, outcomes, deaths, orders of operators and lapses of time.</summary>
public sealed class DeliveryWalkTests
{
    private sealed class Walk
    {
        private const int MaxRecipients = 5;
        private static readonly DateTimeOffset Start = new(2026, 11, 21, 5, 0, 0, TimeSpan.Zero);

        private readonly DeliveryRules _rules = new() { Schedule = [.. DeliveryRules.DefaultSchedule.Take(3)], Jitter = 0.2 };
        private readonly Dictionary<string, int> _begun = [];
        private readonly HashSet<int> _delivered = [];
        private readonly HashSet<int> _told = [];
        private DateTimeOffset _now = Start;
        private DeliveryState _state = DeliveryState.Empty;

        public Walk(int seed)
        {
            var count = 1 + seed % MaxRecipients;
            var by = seed % 7 == 3 ? new DeliverBy(Start.AddMinutes(20), seed % 2 == 0 ? "R" : "N", false) : null;
            Append(DeliveryDecider.Submit(_state, new(
                "a@example.test", new ContentRef(1, "", 1), 0, null, null, null, "7bit", false, false, null, by, 0,
                [.. Enumerable.Range(0, count).Select(i => new SubmittedRecipient($"r{i}@d{i % 3}.example", $"d{i % 3}.example", null, NotifyOn.Default))])).Value!);
        }

        public void Take(Properties.Step step)
        {
            var domain = $"d{step.A % 3}.example";
            var attempt = _state.Find(domain)?.Attempts ?? 0;
            switch (step.Kind % 10)
            {
                case 0 or 1 or 2:
                    Begin(domain, attempt + 1);
                    break;
                case 3 or 4 or 5:
                    Record(domain, step.B % 8 == 0 ? attempt - 1 : attempt, step.B);
                    break;
                case 6:
                    Settle(AttemptDecider.GiveUp(_state, domain, _now, _rules, 0.3));
                    break;
                case 7:
                    _now += TimeSpan.FromMinutes(step.B % 30);
                    Settle(AttemptDecider.Expire(_state, domain, _now));
                    break;
                case 8:
                    Append((step.B % 2 == 0 ? DeliveryDecider.Hold(_state, null) : DeliveryDecider.Release(_state)).Value ?? []);
                    break;
                default:
                    Append((step.B % 5 == 0 ? DeliveryDecider.Cancel(_state, domain, null) : DeliveryDecider.Hasten(_state, null)).Value ?? []);
                    break;
            }
            Check();
        }

        private void Begin(string domain, int attempt)
        {
            var wasUnderWay = _state.Find(domain)?.UnderWay is not null;
            if (DeliveryDecider.Begin(_state, domain, attempt, "node").Value is not { } events)
                return;
            wasUnderWay.ShouldBeFalse("two attempts at once");
            _state.Held.ShouldBeFalse();
            Append(events);
            attempt.ShouldBe(_begun[domain] = _begun.GetValueOrDefault(domain) + 1);
        }

        private void Record(string domain, int attempt, int seed)
        {
            var recipients = _state.Find(domain)?.Recipients ?? [0];
            if (_state.Find(domain)?.UnderWay is null && seed % 4 != 0)
                return;
            // Some outcomes are missing, some come twice, some are nobody's.
            var outcomes = recipients.Append(99).Where(r => (seed >> r) % 6 != 5)
                .SelectMany(r => Enumerable.Repeat(new RecipientOutcome(r, (OutcomeKind)((seed + r) % 4), 450 + (seed + r) % 4, "4.0.0", "text", "mx"), 1 + (seed + r) % 2));
            Settle(AttemptDecider.Record(
                _state, domain, attempt, new([new(recipients, "mx", null, null, 0, "", "", "final", 1)], [.. outcomes]), "node", _now, _rules,
                seed % 100 / 100.0));
        }

        private void Settle(Settlement settlement)
        {
            Append(settlement.Events);
            foreach (var notice in settlement.Notices)
            {
                notice.Recipients.ShouldNotBeEmpty();
                foreach (var position in notice.Positions)
                    if (notice.Action == "failed")
                        _told.Add(position).ShouldBeTrue("told twice of one failure");
                Append([new BounceIssued(notice.Positions, notice.Action, null, null, null)]);
            }
        }

        private void Append(IReadOnlyList<object> events)
        {
            foreach (var e in events)
            {
                if (e is RecipientDelivered delivered)
                    foreach (var recipient in delivered.Recipients)
                        _delivered.Add(recipient).ShouldBeTrue("delivered again");
                if (e is DeliveryDeferred deferred)
                    deferred.Next.ShouldBeGreaterThan(_now);
                if (e is DeliveryOutcomeUnknown unknown)
                    unknown.Next.ShouldBeGreaterThan(_now);
                var before = _state;
                _state = _state.Evolve(e, _now);
                CheckChanges(before, _state);
            }
        }

        // What the queue is written from: all that differs, and nothing else.
        private static void CheckChanges(DeliveryState before, DeliveryState after)
        {
            var domains = before.Destinations.Concat(after.Destinations).Select(d => d.Domain).Distinct().ToList();
            var changed = before.ChangesTo(after).ToDictionary(change => (change.Before ?? change.After)!.Domain);
            foreach (var domain in domains)
            {
                var (was, now) = (before.Find(domain), after.Find(domain));
                if (changed.TryGetValue(domain, out var change))
                    change.ShouldBe((was, now));
                else
                    now.ShouldBeSameAs(was);
                changed.ContainsKey(domain).ShouldBe(!ReferenceEquals(was, now) || before.Held != after.Held);
            }
            changed.Keys.Except(domains).ShouldBeEmpty();
        }

        private void Check()
        {
            var queued = _state.Destinations.SelectMany(d => d.Recipients).ToList();
            queued.Count.ShouldBe(queued.Distinct().Count());
            for (var i = 0; i < _state.Recipients.Count; i++)
            {
                (_state.Recipients[i] == DeliveryStatus.Queued).ShouldBe(queued.Contains(i), "lost, or queued after its end");
                (_state.Recipients[i] == DeliveryStatus.Delivered).ShouldBe(_delivered.Contains(i));
                (_state.Recipients[i] == DeliveryStatus.Failed).ShouldBe(_told.Contains(i), "failed without a word");
            }
            foreach (var destination in _state.Destinations)
            {
                destination.Attempts.ShouldBe(_begun.GetValueOrDefault(destination.Domain));
                destination.Retries.ShouldBeLessThanOrEqualTo(_rules.Schedule.Count);
            }
            _state.IsOver.ShouldBe(queued.Count == 0);
        }
    }

    [Fact]
    public void Whatever_happens_each_recipient_waits_or_has_come_to_one_end_that_its_sender_knows() =>
        Properties.Hold(Properties.Steps, steps =>
        {
            var walk = new Walk(steps.Length > 0 ? steps[0].A : 0);
            foreach (var step in steps)
                walk.Take(step);
        }, tests: 500);

    [Fact]
    public void Hosts_that_die_use_no_retry_three_times_and_then_they_do_so_that_nothing_is_tried_for_ever()
    {
        var rules = new DeliveryRules { Jitter = 0 };
        var now = new DateTimeOffset(2026, 11, 21, 5, 0, 0, TimeSpan.Zero);
        var state = DeliveryState.Empty.Evolve(new MessageSubmitted(
            "a@example.test", new ContentRef(1, "", 1), 0, null, null, null, "7bit", false, false, null, null, 0, [new("r@d.example", "d.example", null, NotifyOn.Default)]), now);
        var retries = new List<int>();
        while (!state.IsOver)
        {
            state = state.Evolve(DeliveryDecider.Begin(state, "d.example", state.Find("d.example")!.Attempts + 1, "node").Value![0], now);
            foreach (var e in AttemptDecider.GiveUp(state, "d.example", now, rules, 0.5).Events)
                state = state.Evolve(e, now);
            retries.Add(state.Find("d.example")?.Retries ?? -1);
        }
        retries.ShouldBe([0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, -1]);
        state.Recipients.ShouldBe([DeliveryStatus.Failed]);
    }

    [Fact]
    public void Whoever_hears_that_it_failed_hears_that_it_may_have_arrived_when_the_last_outcome_is_unknown()
    {
        var now = new DateTimeOffset(2026, 11, 21, 5, 0, 0, TimeSpan.Zero);
        var state = DeliveryState.Empty.Evolve(new MessageSubmitted(
            "a@example.test", new ContentRef(1, "", 1), 0, null, null, null, "7bit", false, false, null, null, 0, [new("r@d.example", "d.example", null, NotifyOn.Default)]), now);
        state = state.Evolve(DeliveryDecider.Begin(state, "d.example", 1, "node").Value![0], now);
        var settlement = AttemptDecider.Record(
            state, "d.example", 1, new([], [new(0, OutcomeKind.Unknown, 0, "4.4.2", "The connection was lost", "mx")]), "node", now,
            new() { Schedule = [] }, 0.5);
        settlement.Events.OfType<RecipientFailed>().ShouldHaveSingleItem().Text.ShouldContain("not known whether it arrived");
        settlement.Notices.ShouldHaveSingleItem().Recipients.ShouldHaveSingleItem().Reply.ShouldContain("not known whether it arrived");
    }

    [Fact]
    public void What_we_broke_off_ourselves_uses_no_retry_and_fails_nobody_for_good()
    {
        var now = new DateTimeOffset(2026, 11, 21, 5, 0, 0, TimeSpan.Zero);
        var state = DeliveryState.Empty.Evolve(new MessageSubmitted(
            "a@example.test", new ContentRef(1, "", 1), 0, null, null, null, "7bit", false, false, null, null, 0,
            [new("r@d.example", "d.example", null, NotifyOn.Default), new("s@d.example", "d.example", null, NotifyOn.Default)]), now);
        state = state.Evolve(DeliveryDecider.Begin(state, "d.example", 1, "node").Value![0], now);
        var settlement = AttemptDecider.Record(
            state, "d.example", 1, new([], [new(0, OutcomeKind.CutOff, 0, "4.3.2", "", null), new(1, OutcomeKind.Deferred, 450, "4.2.0", "", "mx")]),
            "node", now, new() { Schedule = [] }, 0.5);
        settlement.Events.OfType<DeliveryDeferred>().ShouldAllBe(deferred => deferred.Retries == 0 && deferred.Next == now.AddMinutes(1));
        settlement.Events.Count.ShouldBe(2);
        settlement.Notices.ShouldBeEmpty();
    }

    [Theory]
    [InlineData(0, 0.0, 270)]
    [InlineData(0, 1.0, 330)]
    [InlineData(2, 0.5, 1800)]
    public void A_wait_is_longer_or_shorter_by_the_jitter(int used, double random, int seconds) =>
        new DeliveryRules().Wait(used, random).ShouldBe(TimeSpan.FromSeconds(seconds));

    [Fact]
    public void After_the_last_wait_there_is_none() => new DeliveryRules().Wait(9, 0.5).ShouldBeNull();
}
