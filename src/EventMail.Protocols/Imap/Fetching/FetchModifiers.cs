using EventMail.Protocols.Imap.Grammar;

namespace EventMail.Protocols.Imap.Fetching;

/// <summary>fetch-modifiers = SP "(" fetch-modifier *(SP fetch-modifier) ")" (RFC 4466 §2.4).</summary>
/// <param name="ChangedSince">RFC 7162 §3.1.4.1.</param>
/// <param name="Vanished">RFC 7162 §3.2.6.</param>
/// <param name="Partial">RFC 9394 §3.3: which of the messages that are there.</param>
internal readonly record struct FetchModifiers(long? ChangedSince, bool Vanished, PartialRange? Partial)
{
    public static bool Expect(ImapSession session, ImapCommand command, ref CommandParser arguments, out FetchModifiers modifiers)
    {
        modifiers = default;
        if (arguments.AtEnd)
            return true;
        if (!arguments.ExpectSp() || !arguments.ExpectByte('('))
            return false;
        do
        {
            if (!ExpectOne(ref arguments, ref modifiers))
                return false;
        }
        while (arguments.TrySp());
        // RFC 9394 §3.3: the modifier is UID FETCH's.
        if (modifiers.Partial is not null && !command.ByUid)
            return arguments.Fail("PARTIAL is for UID FETCH");
        return arguments.ExpectByte(')') && (!modifiers.Vanished || modifiers.MayVanish(session, command, ref arguments));
    }

    private static bool ExpectOne(ref CommandParser arguments, ref FetchModifiers modifiers)
    {
        if (arguments.TryWord("VANISHED"u8))
        {
            modifiers = modifiers with { Vanished = true };
            return true;
        }

        if (arguments.TryWord("PARTIAL"u8))
        {
            if (modifiers.Partial is not null)
                return arguments.Fail("PARTIAL was said before");
            if (!arguments.ExpectSp() || !arguments.ExpectPartialRange(out var range))
                return false;
            modifiers = modifiers with { Partial = range };
            return true;
        }

        if (!arguments.TryWord("CHANGEDSINCE"u8))
            return arguments.Fail("Unknown FETCH modifier");
        if (modifiers.ChangedSince is not null)
            return arguments.Fail("CHANGEDSINCE was said before");
        if (!arguments.ExpectSp() || !arguments.ExpectModSeq(out var modSeq))
            return false;
        modifiers = modifiers with { ChangedSince = modSeq };
        return true;
    }

    // RFC 7162 §3.2.6: three times BAD.
    private bool MayVanish(ImapSession session, ImapCommand command, ref CommandParser arguments) =>
        !command.ByUid ? arguments.Fail("VANISHED is for UID FETCH")
        : ChangedSince is null ? arguments.Fail("VANISHED needs CHANGEDSINCE")
        : session.Has(Extensions.Qresync) || arguments.Fail("QRESYNC is not enabled");
}
