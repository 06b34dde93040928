using System.Globalization;

namespace EventMail.Protocols.Tests.Imap.Model.Steps;

/// <summary>SEARCH with ESEARCH (RFC 4731), SEARCHRES (RFC 5182) and MODSEQ (RFC 7162 §3.1.5).</summary>
internal static class Searching
{
    private delegate bool Test(uint number, uint uid, ModelMessage message);

    private static readonly (string Name, string Flag)[] FlagKeys =
        [("SEEN", "\\Seen"), ("DELETED", "\\Deleted"), ("FLAGGED", "\\Flagged"), ("ANSWERED", "\\Answered"), ("DRAFT", "\\Draft"), ("KEYWORD Work", "Work")];

    private sealed record Key(string Text, Test Test, bool HasNumbers = false, bool HasModSeq = false);

    public static async Task SearchAsync(ModelRun run, ModelSession session)
    {
        var random = run.Random;
        var byUid = session.Can(Abilities.UidOnly) || random.Next(2) == 0;
        var known = session.Fresh;
        var key = AnyKey(run, session, known, depth: 0);
        List<string>? wanted = random.Next(2) == 0 ? [.. new[] { "MIN", "MAX", "ALL", "COUNT", "SAVE" }.Where(_ => random.Next(3) == 0)] : null;
        var command = $"{(byUid ? "UID " : "")}SEARCH {(wanted is null ? "" : $"RETURN ({string.Join(' ', wanted)}) ")}{key.Text}";
        if (wanted is { Count: 0 } || (wanted is null && session.Can(Abilities.Rev2)))
            wanted = ["ALL"];
        List<(uint Number, uint Uid, long ModSeq)> found = [.. known
            .Select((uid, i) => (Number: (uint)i + 1, Uid: uid, Message: session.Current(uid)))
            .Where(m => key.Test(m.Number, m.Uid, m.Message))
            .Select(m => (m.Number, m.Uid, m.Message.ModSeq))];

        var hearing = new Hearing(run.Dialogue, session) { MayExpunge = byUid && !key.HasNumbers, BecomesAware = !session.Aware && key.HasModSeq };
        var (answer, heard) = await run.DoAsync(session, command, apply: () => session.Aware |= key.HasModSeq, hearing: hearing);
        if (heard.BecomesAware && heard.Argument("HIGHESTMODSEQ") is null)
            throw heard.Fault("HIGHESTMODSEQ is missing (RFC 7162 §3.1)");

        var ends = new List<(uint Number, uint Uid, long ModSeq)>();
        if (wanted is not null && wanted.Contains("MIN"))
            ends.AddRange(found.Take(1));
        if (wanted is not null && wanted.Contains("MAX"))
            ends.AddRange(found.TakeLast(1));
        if (wanted is null)
            CheckPlain(heard, found, byUid, key.HasModSeq);
        else
            CheckExtended(heard, answer.Tag, wanted, found, ends, byUid, key.HasModSeq);
        // RFC 5182 §2.4
        if (wanted is not null && wanted.Contains("SAVE"))
            session.Saved = [.. (wanted.Contains("ALL") || wanted.Contains("COUNT") || !(wanted.Contains("MIN") || wanted.Contains("MAX")) ? found : ends).Select(m => m.Uid)];
    }

    private static void CheckPlain(Hearing heard, List<(uint Number, uint Uid, long ModSeq)> found, bool byUid, bool hasModSeq)
    {
        var answer = heard.Answers.OfType<Untagged.Search>().Single();
        var expected = found.Select(m => byUid ? m.Uid : m.Number);
        if (!answer.Numbers.SequenceEqual(expected))
            throw heard.Fault($"found should be {string.Join(' ', expected)}");
        if (answer.ModSeq != (hasModSeq && found.Count > 0 ? found.Max(m => m.ModSeq) : null))
            throw heard.Fault("the MODSEQ is not that of what was found");
    }

    private static void CheckExtended(
        Hearing heard, string tag, List<string> wanted, List<(uint Number, uint Uid, long ModSeq)> found,
        List<(uint Number, uint Uid, long ModSeq)> ends, bool byUid, bool hasModSeq)
    {
        var answer = heard.Answers.OfType<Untagged.ESearch>().SingleOrDefault();
        if (wanted is ["SAVE"])
        {
            if (answer is not null)
                throw heard.Fault("SAVE alone is not answered");
            return;
        }

        uint Name((uint Number, uint Uid, long ModSeq) m) => byUid ? m.Uid : m.Number;
        var expected = new SortedDictionary<string, string>(StringComparer.Ordinal);
        void Expect(string name, bool isThere, Func<IFormattable> value)
        {
            if (isThere && (name == "MODSEQ" || wanted.Contains(name)))
                expected[name] = value().ToString(null, CultureInfo.InvariantCulture);
        }

        Expect("MIN", found.Count > 0, () => Name(found[0]));
        Expect("MAX", found.Count > 0, () => Name(found[^1]));
        Expect("COUNT", true, () => found.Count);
        // RFC 4731 §3.2
        var told = wanted.Contains("ALL") || wanted.Contains("COUNT") ? found : ends;
        Expect("MODSEQ", hasModSeq && told.Count > 0, () => told.Max(m => m.ModSeq));
        var all = answer?.Items.Remove("ALL", out var set) == true ? Sets.Parse(set!) : [];
        if (answer is null || answer.Tag != tag || answer.Uid != byUid || !all.SetEquals(wanted.Contains("ALL") ? found.Select(Name) : [])
            || !answer.Items.OrderBy(item => item.Key, StringComparer.Ordinal).SequenceEqual(expected))
            throw heard.Fault($"found should be {string.Join(',', found.Select(Name))}, {string.Join(' ', expected)}");
    }

    private static Key AnyKey(ModelRun run, ModelSession session, List<uint> known, int depth)
    {
        var random = run.Random;
        switch (random.Next(depth > 1 ? 6 : 9))
        {
            case 0:
                return new("ALL", (_, _, _) => true);
            case 1 when session.Can(Abilities.Condstore | Abilities.Qresync):
                var from = Storing.AnyModSeq(run, session);
                return new($"MODSEQ {from}", (_, _, message) => message.ModSeq >= from, HasModSeq: true);
            case 2:
                var uids = run.Choose(own => Sets.Any(own, known, session.Mailbox!.UidNext));
                return new($"UID {uids}", (_, uid, _) => Sets.HasUid(uids, uid, known, session.Saved));
            case 3 when !session.Can(Abilities.UidOnly):
                var numbers = run.Choose(own => Sets.Any(own, [.. known.Select((_, i) => (uint)i + 1)], (uint)known.Count));
                return new(numbers, (number, _, _) => Sets.Ranges(numbers, (uint)known.Count).Any(r => number >= r.First && number <= r.Last), HasNumbers: true);
            case 4:
                return new("$", (_, uid, _) => session.Saved.Contains(uid));
            case 6:
                var inner = AnyKey(run, session, known, depth + 1);
                return inner with { Text = $"NOT {inner.Text}", Test = (number, uid, message) => !inner.Test(number, uid, message) };
            case 7:
                var (one, other) = (AnyKey(run, session, known, depth + 1), AnyKey(run, session, known, depth + 1));
                return new($"OR {one.Text} {other.Text}", (n, u, m) => one.Test(n, u, m) || other.Test(n, u, m), one.HasNumbers || other.HasNumbers, one.HasModSeq || other.HasModSeq);
            case 8:
                var (first, second) = (AnyKey(run, session, known, depth + 1), AnyKey(run, session, known, depth + 1));
                return new($"({first.Text} {second.Text})", (n, u, m) => first.Test(n, u, m) && second.Test(n, u, m), first.HasNumbers || second.HasNumbers, first.HasModSeq || second.HasModSeq);
            default:
                var (name, flag) = FlagKeys[random.Next(FlagKeys.Length)];
                return new(name, (_, _, message) => message.Flags.Contains(flag));
        }
    }
}
