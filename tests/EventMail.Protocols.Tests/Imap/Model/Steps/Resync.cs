using System.Collections.Immutable;

namespace EventMail.Protocols.Tests.Imap.Model.Steps;

/// <summary>SELECT (QRESYNC …) with what a client kept (RFC 7162 §3.2.5), and what it must have afterwards.</summary>
/// <param name="Known">Null: not said.</param>
/// <param name="Match">Sequence numbers that the client knew UIDs of.</param>
internal sealed record Resync(Cache Cache, SortedSet<uint>? Known, List<(uint Number, uint Uid)> Match)
{
    public static Resync Of(ModelRun run, ModelSession session, Cache cache)
    {
        var (random, messages) = (run.Random, cache.Messages);
        SortedSet<uint>? known = messages.Count == 0 ? null : random.Next(4) switch
        {
            0 => [.. messages.Select(message => message.Uid)],
            1 => Sets.Parse($"1:{messages[^1].Uid}"),
            _ => null,
        };
        var match = session.Can(Abilities.UidOnly) || random.Next(2) == 0
            ? []
            : messages.Select((message, i) => ((uint)i + 1, message.Uid)).Where(_ => random.Next(3) == 0).ToList();
        return new(cache, known, match);
    }

    public string Text => $"QRESYNC ({Cache.Mailbox.UidValidity} {Cache.HighestModSeq}"
        + (Known is null ? "" : $" {string.Join(',', Known)}")
        + (Match.Count == 0 ? ")" : $" ({string.Join(',', Match.Select(pair => pair.Number))} {string.Join(',', Match.Select(pair => pair.Uid))}))");

    /// <summary>Until it hears better the client takes what it kept for true.</summary>
    public void Believe(ModelSession session)
    {
        if (session.Mailbox != Cache.Mailbox)
            return;
        foreach (var (uid, flags) in Cache.Messages)
        {
            if (session.Mailbox.Messages.ContainsKey(uid))
                session.Told[uid] = new(flags, null, null);
        }
    }

    public void Check(ModelSession session, Hearing heard)
    {
        var mailbox = session.Mailbox!;
        if (mailbox != Cache.Mailbox)
        {
            if (heard.Earlier.Count + heard.Fetched.Count > 0)
                throw heard.Fault("another UIDVALIDITY, and yet there are changes");
            return;
        }

        var among = (uint uid) => Known?.Contains(uid) ?? true;
        // §3.2.5.2: up to the last pair that fits, nothing has gone.
        var uids = mailbox.Messages.Keys.ToImmutableArray();
        var matched = Match.Where(pair => pair.Number <= uids.Length && uids[(int)pair.Number - 1] == pair.Uid).Select(pair => pair.Uid).LastOrDefault();
        var earlier = mailbox.Gone.Where(gone => gone.Value > Cache.HighestModSeq && gone.Key > matched && among(gone.Key)).Select(gone => gone.Key).Order();
        if (!heard.Earlier.SequenceEqual(earlier))
            throw heard.Fault($"vanished earlier: {string.Join(',', earlier)}");
        var changed = mailbox.Messages.Where(message => message.Value.ModSeq > Cache.HighestModSeq && among(message.Key)).Select(message => message.Key);
        if (!heard.Fetched.Where(fetched => fetched.Response is { Flags: not null, ModSeq: not null }).Select(fetched => fetched.Uid).SequenceEqual(changed))
            throw heard.Fault($"changed since: {string.Join(',', changed)}");
        var gone = Cache.Messages.Find(message => !heard.Earlier.Contains(message.Uid) && !mailbox.Messages.ContainsKey(message.Uid));
        if (gone.Uid > 0)
            throw heard.Fault($"it would keep {gone.Uid}, which is gone");
    }
}
