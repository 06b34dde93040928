using EventMail.Protocols.Imap.Grammar;
using EventMail.Protocols.Imap.Selected;

namespace EventMail.Protocols.Imap.Commands;

/// <summary>select-params = SP "(" select-param *(SP select-param) ")" (RFC 4466 §2.1).</summary>
/// <param name="Condstore">RFC 7162 §3.1.8.</param>
/// <param name="Resync">RFC 7162 §3.2.5.</param>
internal readonly record struct SelectParameters(bool Condstore, QuickResync? Resync)
{
    public static bool Expect(ImapSession session, ref CommandParser arguments, out SelectParameters parameters)
    {
        parameters = default;
        if (arguments.AtEnd)
            return true;
        if (!arguments.ExpectSp() || !arguments.ExpectByte('('))
            return false;
        do
        {
            if (!ExpectOne(session, ref arguments, ref parameters))
                return false;
        }
        while (arguments.TrySp());
        return arguments.ExpectByte(')');
    }

    private static bool ExpectOne(ImapSession session, ref CommandParser arguments, ref SelectParameters parameters)
    {
        if (arguments.TryWord("CONDSTORE"u8))
        {
            parameters = parameters with { Condstore = true };
            return true;
        }

        if (!arguments.TryWord("QRESYNC"u8))
            return arguments.Fail("Unknown SELECT parameter");
        // RFC 7162 §3.2.5: BAD before ENABLE QRESYNC.
        if (!session.Has(Extensions.Qresync))
            return arguments.Fail("QRESYNC is not enabled");
        if (parameters.Resync is not null)
            return arguments.Fail("QRESYNC was said before");
        if (!arguments.ExpectSp() || !QuickResync.Expect(ref arguments, out var resync))
            return false;
        parameters = parameters with { Resync = resync };
        return true;
    }
}
