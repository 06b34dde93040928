using EventMail.Domain.Mailboxes;
using EventMail.Protocols.Imap.Grammar;
using EventMail.Protocols.Imap.Responses;
using EventMail.Protocols.Imap.Searching;

namespace EventMail.Protocols.Imap;

/// <summary>
/// MESSAGELIMIT (RFC 9738): how many messages one command works on. FETCH, STORE and SEARCH take those with the highest UIDs and tell
/// where they stopped; what is done whole or not at all is refused.
/// </summary>
internal static class MessageLimit
{
    public static bool Exceeds(ImapSession session, long messages) => session.Limits.MessageLimit is > 0 and var most && messages > most;

    /// <summary>Nothing was done.</summary>
    public static Reply TooMany(ImapSession session) =>
        Reply.No("Too many messages for one command", $"MESSAGELIMIT {session.Limits.MessageLimit}");

    /// <summary>Those with the highest UIDs, as many as one command may work on.</summary>
    /// <param name="lowest">The last UID that it works on; null when it works on all of them.</param>
    public static UidSet Cut(ImapSession session, UidSet uids, out uint? lowest)
    {
        lowest = null;
        if (!Exceeds(session, uids.Count))
            return uids;
        uids = new PartialRange(1, (uint)session.Limits.MessageLimit, FromEnd: true).Of(uids);
        lowest = uids.First;
        return uids;
    }

    /// <summary>The same of the messages that a search looks at: it is they who count, not those that it finds.</summary>
    public static SearchProgram Cut(ImapSession session, SearchProgram program, out uint? lowest)
    {
        Cut(session, LookedAt(session, program), out lowest);
        return lowest is { } first ? program with { Key = new AndKey([new UidRangeKey(first, uint.MaxValue), program.Key]) } : program;
    }

    /// <summary>The search looks at more messages than one command may work on.</summary>
    public static bool Exceeds(ImapSession session, SearchProgram program) => Exceeds(session, LookedAt(session, program).Count);

    private static UidSet LookedAt(ImapSession session, SearchProgram program)
    {
        var known = session.Selected!.Known;
        // Without a limit nobody asks.
        if (!Exceeds(session, known.Count))
            return UidSet.Empty;
        var all = known.UidsAt(0, known.Count);
        return program.Key.Among(new(session.Selected)) is { } among ? all.Intersect(among) : all;
    }

    /// <summary>Says that a command was done in part: in an untagged NO where its tagged reply has another code.</summary>
    /// <param name="lowest">Of <see cref="Cut(ImapSession, UidSet, out uint?)"/>.</param>
    public static Reply Tell(ImapSession session, Reply reply, uint? lowest)
    {
        if (lowest is null)
            return reply;
        var code = $"MESSAGELIMIT {session.Limits.MessageLimit} {lowest}";
        if (reply is { Kind: ReplyKind.Ok, Code: null })
            return Reply.Ok($"{reply.Text} in part", code);
        session.Writer.Untagged("NO"u8, code, "Done in part");
        return reply;
    }
}
