namespace EventMail.Protocols.Tests.Imap.Model.Steps;

/// <summary>Messages as a command names them.</summary>
/// <param name="Prefix">"UID " or nothing.</param>
/// <param name="Uids">Those of them that the session counts; null: a number is nobody's.</param>
internal sealed record Chosen(string Prefix, string Set, HashSet<uint>? Uids)
{
    public bool ByUid => Prefix.Length > 0;
}

internal static class Choosing
{
    public static readonly string[] Flags = ["\\Seen", "\\Flagged", "\\Deleted", "\\Deleted", "\\Answered", "\\Draft", "Work", "Later"];

    public static string[] SomeFlags(this ModelRun run) => [.. Flags.Where(_ => run.Random.Next(4) == 0).Distinct()];

    /// <param name="fresh">The command looks at the mailbox as it is now: what is new counts.</param>
    public static Chosen Messages(this ModelRun run, ModelSession session, bool? byUid = null, bool fresh = false)
    {
        var uid = byUid ?? (session.Can(Abilities.UidOnly) || run.Random.Next(2) == 0);
        return session.Choose(uid, uid && fresh ? session.Fresh : session.Known, run.Choose(random => AnySet(random, session, uid)));
    }

    private static Chosen Choose(this ModelSession session, bool byUid, List<uint> known, string set) =>
        new(byUid ? "UID " : "", set, byUid
            ? [.. known.Where(uid => Sets.HasUid(set, uid, known, session.Saved))]
            : Sets.ByNumber(set, known, session.Saved));

    private static string AnySet(Random random, ModelSession session, bool byUid)
    {
        if (random.Next(8) == 0)
            return "$";
        // Now and then a number that is nobody's.
        var beyond = (uint)(random.Next(12) == 0 ? 1 : 0);
        return byUid
            ? Sets.Any(random, session.Known, session.Mailbox!.UidNext - 1 + beyond)
            : Sets.Any(random, [.. Enumerable.Range(1, session.Known.Count).Select(n => (uint)n)], (uint)session.Known.Count + beyond);
    }
}
