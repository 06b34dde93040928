using EventMail.Domain.Mailboxes;
using static EventMail.Domain.Tests.Mailboxes.Properties;

namespace EventMail.Domain.Tests.Mailboxes;

/// <summary>A mailbox driven by random steps, beside the most naive picture of what it must contain.</summary>
internal sealed class MailboxWalk
{
    public sealed record NaiveMessage(uint Uid, long Content, long Size, long Date)
    {
        public SortedSet<string> Flags { get; init; } = new(StringComparer.OrdinalIgnoreCase);

        public long ModSeq { get; set; }

        /// <summary>The version of the event that brought it.</summary>
        public long Came { get; init; }
    }

    private static DateTimeOffset TimeOf(long version) => DateTimeOffset.FromUnixTimeSeconds(SaveDateOf(version));

    private static uint SaveDateOf(long version) => 1_700_000_000 + 60 * (uint)version;

    private static readonly string[] FlagPool = [@"\Seen", @"\Deleted", @"\Flagged", @"\Answered", "$Junk", "work", "Later"];

    private readonly int _scale;
    private long _content;

    /// <param name="scale">How many messages a step brings at most: above 1024 chunks fill and split.</param>
    public MailboxWalk(int scale = 40)
    {
        _scale = scale;
        Commit(MailboxDecider.Create(State, "INBOX", 7, null).Value!);
        Header = State with { View = null };
    }

    /// <summary>With its view.</summary>
    public MailboxState State { get; private set; } = MailboxState.Empty;

    /// <summary>Folded without a view.</summary>
    public MailboxState Header { get; private set; } = MailboxState.Empty with { View = null };

    public List<NaiveMessage> Naive { get; } = [];

    public List<object> Events { get; } = [];

    public MailboxView View => State.View!;

    public void Take(Step step)
    {
        switch (step.Kind)
        {
            case < 20:
                Receive();
                break;
            case < 35:
                Append(step);
                break;
            case < 45:
                CopyIn(step);
                break;
            case < 75:
                Store(step);
                break;
            case < 85:
                Expunge(step);
                break;
            case < 95:
                Remove(step);
                break;
            case < 97:
                Share();
                break;
            default:
                if (MailboxDecider.ClaimRecent(State, State.UidNext - 1) is { } claimed)
                    Commit(claimed);
                break;
        }
    }

    private void Commit(object e)
    {
        State = State.Evolve(e, State.Version + 1, TimeOf(State.Version + 1));
        Header = Header.Evolve(e, Header.Version + 1, TimeOf(Header.Version + 1));
        Events.Add(e);
    }

    private void Share()
    {
        var (who, mode) = ($"user{State.Version % 7:d4}", (RightsMode)(State.Version % 3));
        var (e, rejection) = AccessDecider.Change(State, "ownerown", who, mode, (Rights)(State.Version * 37 % 2048));
        rejection.ShouldBeNull();
        if (e is not null)
            Commit(e);
    }

    private ContentRef Content() => new(++_content, new string('0', 64), _content % 1000 + 1);

    private void Receive()
    {
        var e = MailboxDecider.Receive(State, Content(), DateTimeOffset.FromUnixTimeSeconds(_content), "a@b", "c@d", null).Value!;
        Commit(e);
        Naive.Add(new(e.Uid, e.Content.Number, e.Content.Size, _content) { ModSeq = State.Version, Came = State.Version });
    }

    private void Append(Step step)
    {
        var flags = Pick(step.A);
        var e = MailboxDecider.Append(State, Content(), DateTimeOffset.FromUnixTimeSeconds(_content), flags, null).Value!;
        Commit(e);
        Naive.Add(new(e.Uid, e.Content.Number, e.Content.Size, _content)
        {
            ModSeq = State.Version,
            Came = State.Version,
            Flags = new(flags, StringComparer.OrdinalIgnoreCase),
        });
    }

    private void CopyIn(Step step)
    {
        var other = MailboxState.Empty.Evolve(new MailboxCreated("Other", 3, null), 1, TimeOf(1));
        var messages = new List<NaiveMessage>();
        for (var i = 0; i < 1 + step.B % _scale; i++)
        {
            var flags = Pick(step.A + i);
            var e = MailboxDecider.Append(other, Content(), DateTimeOffset.FromUnixTimeSeconds(_content), flags, null).Value!;
            other = other.Evolve(e, other.Version + 1, TimeOf(1));
            messages.Add(new(State.UidNext + (uint)i, e.Content.Number, e.Content.Size, _content)
            {
                ModSeq = State.Version + 1,
                Came = State.Version + 1,
                Flags = new(flags, StringComparer.OrdinalIgnoreCase),
            });
        }
        var copy = MailboxDecider.Copy(other, Guid.Empty, UidSet.OfRange(1, uint.MaxValue), State, Guid.Empty, move: false).Value!;
        copy.Uids.ToArray().ShouldBe(messages.Select(m => m.Uid));
        Commit(copy.Into!);
        Naive.AddRange(messages);
    }

    private void Store(Step step)
    {
        var uids = Some(step);
        var mode = (StoreMode)(step.A % 3);
        var flags = Pick(step.B / 3);
        long? since = step.B % 5 == 0 ? State.Version * (step.A % 4) / 4 : null;
        var decision = MailboxDecider.Store(State, uids, mode, flags, since).Value!;
        var changed = new List<uint>();
        var modified = new List<uint>();
        foreach (var message in Naive.Where(m => uids.Contains(m.Uid)))
        {
            if (message.ModSeq > since)
            {
                modified.Add(message.Uid);
                continue;
            }
            var before = message.Flags.ToList();
            if (mode == StoreMode.Replace)
                message.Flags.Clear();
            if (mode == StoreMode.Remove)
                message.Flags.ExceptWith(flags);
            else
                message.Flags.UnionWith(flags);
            if (message.Flags.SetEquals(before))
                continue;
            changed.Add(message.Uid);
            message.ModSeq = State.Version + 1;
        }
        decision.Changed.ToArray().ShouldBe(changed);
        decision.Modified.ToArray().ShouldBe(modified);
        (decision.Event is null).ShouldBe(changed.Count == 0);
        if (decision.Event is not null)
            Commit(decision.Event);
    }

    private void Expunge(Step step)
    {
        var only = step.A % 2 == 0 ? null : Some(step);
        var decision = MailboxDecider.Expunge(State, only).Value!;
        Gone(decision, m => m.Flags.Contains(@"\Deleted") && only?.Contains(m.Uid) != false);
    }

    private void Remove(Step step)
    {
        var uids = Some(step);
        // Few, so that mailboxes grow; now and then a large piece.
        if (step.B % 7 != 0)
            uids = uids.IsEmpty ? uids : UidSet.Of(uids.First);
        Gone(MailboxDecider.Remove(State, uids).Value!, m => uids.Contains(m.Uid));
    }

    private void Gone(ExpungeDecision decision, Predicate<NaiveMessage> gone)
    {
        var expected = Naive.FindAll(gone);
        decision.Uids.ToArray().ShouldBe(expected.Select(m => m.Uid));
        Naive.RemoveAll(gone);
        if (decision.Event is not { } e)
            return;
        e.Bytes.ShouldBe(expected.Sum(m => m.Size));
        e.Unseen.ShouldBe(expected.Count(m => !m.Flags.Contains(@"\Seen")));
        Commit(e);
    }

    /// <summary>Some UIDs, also such as do not exist: a range, every third, or everything.</summary>
    public UidSet Some(Step step)
    {
        var next = State.UidNext;
        var first = 1 + (uint)(step.A % next);
        return (step.B % 4) switch
        {
            0 => UidSet.OfRange(1, uint.MaxValue),
            1 => UidSet.OfRange(first, first + (uint)(step.B % _scale)),
            2 => UidSet.From(Enumerable.Range(0, _scale).Select(i => first + (uint)i * 3)),
            _ => UidSet.Of(first),
        };
    }

    private static string[] Pick(int seed) => [.. FlagPool.Where((_, i) => (seed >> i & 1) == 1)];

    public void ShouldAgree()
    {
        Agree(View, Naive, State.Version);
        var slice = State with { View = null };
        slice.ShouldBe(Header with { Flags = slice.Flags });
        Header.Flags.Keywords.ShouldBe(State.Flags.Keywords);
        Header.Messages.ShouldBe(Naive.Count);
        Header.Unseen.ShouldBe(Naive.Count(m => !m.Flags.Contains(@"\Seen")));
        Header.Bytes.ShouldBe(Naive.Sum(m => m.Size));
        View.UidNext.ShouldBe(State.UidNext);
    }

    public static void Agree(MailboxView view, IReadOnlyList<NaiveMessage> naive, long version)
    {
        view.HighestModSeq.ShouldBe(version);
        view.Count.ShouldBe(naive.Count);
        view.Bytes.ShouldBe(naive.Sum(m => m.Size));
        view.Unseen.ShouldBe(naive.Count(m => !m.Flags.Contains(@"\Seen")));
        view.Deleted.ShouldBe(naive.Count(m => m.Flags.Contains(@"\Deleted")));
        view.Flagged.ShouldBe(naive.Count(m => m.Flags.Contains(@"\Flagged")));
        var index = 0;
        foreach (var slice in view.Slices())
        {
            slice.Start.ShouldBe(index);
            for (var i = 0; i < slice.Length; i++, index++)
            {
                var expected = naive[index];
                if (slice.Uids[i] != expected.Uid || slice.Sizes[i] != expected.Size || slice.Contents[i] != expected.Content
                    || slice.InternalDates[i] != expected.Date || slice.ModSeqs[i] != expected.ModSeq || slice.SaveDates[i] != SaveDateOf(expected.Came)
                    || slice.Flags[i] != view.Flags.MaskOf([.. expected.Flags]))
                {
                    throw new ShouldAssertException($"message {index} is {view[index]}, not {expected}");
                }
            }
        }
        index.ShouldBe(naive.Count);
    }
}
