using EventMail.Domain.Mailboxes;
using EventMail.Projections.Mailboxes;

namespace EventMail.Protocols.Imap.Listing;

/// <summary>A name that LIST may tell of: a mailbox, a level above some, or only subscribed.</summary>
/// <param name="Entry">Null when neither a mailbox nor a level has the name.</param>
/// <param name="Matches">It matches one of the patterns.</param>
internal readonly record struct ListedName(string Name, MailboxEntry? Entry, bool Subscribed, bool Matches)
{
    public bool Exists => Entry is { Selectable: true };

    /// <summary>RFC 5258 §3: every criterion must be met; without one, a mailbox or a level is enough.</summary>
    public bool Meets(ListSelection selection) => (selection & ListSelection.Criteria) == 0
        ? Entry is not null
        : ((selection & ListSelection.Subscribed) == 0 || Subscribed)
            && ((selection & ListSelection.SpecialUse) == 0 || Entry?.SpecialUse is not null);

    /// <summary>In LIST's order, parents before what is below them.</summary>
    /// <param name="entries">In that order.</param>
    /// <param name="subscribed">Null when nobody asked.</param>
    public static IReadOnlyList<ListedName> Of(IReadOnlyList<MailboxEntry> entries, IReadOnlyList<string>? subscribed, ListRequest request)
    {
        var names = new List<ListedName>(entries.Count);
        HashSet<string> left = subscribed is null ? [] : new(subscribed, StringComparer.Ordinal);
        foreach (var entry in entries)
            names.Add(new(entry.Name, entry, left.Remove(entry.Name), request.Matches(entry.Name)));
        // Names that are subscribed and nothing else: only who selects by that is told of them, and RECURSIVEMATCH of what is above.
        if (left.Count == 0 || !request.Has(ListSelection.Subscribed))
            return names;
        var known = entries.Select(entry => entry.Name).Concat(left).ToHashSet(StringComparer.Ordinal);
        foreach (var name in left)
        {
            names.Add(new(name, null, true, request.Matches(name)));
            foreach (var parent in MailboxName.Parents(name))
            {
                if (known.Add(parent))
                    names.Add(new(parent, null, false, request.Matches(parent)));
            }
        }

        names.Sort((a, b) => MailboxName.Order.Compare(a.Name, b.Name));
        return names;
    }
}
