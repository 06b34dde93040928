using System.Text;
using EventMail.Protocols.Imap.Grammar;

namespace EventMail.Protocols.Imap.Listing;

/// <summary>LIST's arguments (RFC 3501 §9, RFC 5258 §6).</summary>
internal static class ListParser
{
    /// <summary>Not null when they are wrong.</summary>
    // list = "LIST" [SP list-select-opts] SP mailbox SP mbox-or-pat [SP list-return-opts]
    public static string? Parse(ImapCommand command, ImapLimits limits, out ListRequest request)
    {
        request = new() { MaxEntries = limits.MaxMetadataEntries };
        var arguments = command.Arguments;
        if (!arguments.ExpectSp())
            return arguments.Error;
        if (arguments.TryByte('('))
        {
            request.IsExtended = true;
            if (!ExpectOptions(ref arguments, ListOption.Selecting, request) || !arguments.ExpectSp())
                return arguments.Error;
            // RFC 5258 §3.1: the server MUST return BAD in such case.
            if (request.Has(ListSelection.RecursiveMatch) && !request.Has(ListSelection.Criteria))
                return "RECURSIVEMATCH needs another option to match";
        }

        if (!arguments.ExpectAString(out var reference) || !arguments.ExpectSp() || !ExpectPatterns(ref arguments, reference, limits.MaxListPatterns, request))
            return arguments.Error;
        if (!arguments.AtEnd && (!arguments.ExpectSp() || !ExpectReturn(ref arguments, request)))
            return arguments.Error;
        return arguments.ExpectEnd() ? null : arguments.Error;
    }

    // mbox-or-pat = list-mailbox / patterns; patterns = "(" list-mailbox *(SP list-mailbox) ")"
    private static bool ExpectPatterns(ref CommandParser arguments, ReadOnlySpan<byte> reference, int maxPatterns, ListRequest request)
    {
        if (!arguments.TryByte('('))
            return ExpectPattern(ref arguments, reference, request);
        request.IsExtended = true;
        do
        {
            if (request.Patterns.Count == maxPatterns)
                return arguments.Fail("Too many mailbox patterns");
            if (!ExpectPattern(ref arguments, reference, request))
                return false;
        }
        while (arguments.TrySp());
        return arguments.ExpectByte(')');
    }

    private static bool ExpectPattern(ref CommandParser arguments, ReadOnlySpan<byte> reference, ListRequest request)
    {
        if (!arguments.ExpectListMailbox(out var wanted))
            return false;
        // RFC 5258 §3: among several, or with options, the empty string matches nothing.
        if (wanted.IsEmpty)
        {
            request.IsEmptyName = true;
            return true;
        }

        if (!ListPattern.TryParse(reference, wanted, out var pattern, arguments.Utf8Names))
            return arguments.Fail("Invalid mailbox pattern");
        request.Patterns.Add(pattern);
        return true;
    }

    // list-return-opts = "RETURN" SP "(" [return-option *(SP return-option)] ")"
    private static bool ExpectReturn(ref CommandParser arguments, ListRequest request)
    {
        request.IsExtended = true;
        return (arguments.TryWord("RETURN"u8) || arguments.Fail("Unknown LIST option")) && arguments.ExpectSp() && arguments.ExpectByte('(')
            && ExpectOptions(ref arguments, ListOption.Returning, request);
    }

    // Behind the opening parenthesis.
    private static bool ExpectOptions(ref CommandParser arguments, ListOption[] known, ListRequest request)
    {
        if (arguments.TryByte(')'))
            return true;
        var seen = new List<ListOption>();
        do
        {
            if (!arguments.ExpectAtom(out var name))
                return false;
            if (Find(known, name) is not { } option)
                return arguments.Fail("Unknown LIST option");
            // What a second one asks for is read, and forgotten: RFC 5258 §3.
            if (!option.Read(ref arguments, seen.Contains(option) ? new() { MaxEntries = request.MaxEntries } : request))
                return arguments.Fail("Malformed LIST option");
            seen.Add(option);
        }
        while (arguments.TrySp());
        return arguments.ExpectByte(')');
    }

    private static ListOption? Find(ListOption[] known, ReadOnlySpan<byte> name)
    {
        foreach (var option in known)
        {
            if (Ascii.EqualsIgnoreCase(name, option.Name))
                return option;
        }

        return null;
    }
}
