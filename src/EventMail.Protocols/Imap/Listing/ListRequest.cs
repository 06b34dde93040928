using EventMail.Projections.Mailboxes;
using EventMail.Protocols.Imap.Grammar;

namespace EventMail.Protocols.Imap.Listing;

/// <summary>Which names LIST selects, besides its patterns (RFC 5258 §3.1).</summary>
[Flags]
internal enum ListSelection : byte
{
    None = 0,
    Subscribed = 1,
    SpecialUse = 2,

    /// <summary>Of other servers too: there are none.</summary>
    Remote = 4,

    /// <summary>Parents of names that are selected, too, with CHILDINFO.</summary>
    RecursiveMatch = 8,

    /// <summary>Those that are criteria: list-select-base-opt.</summary>
    Criteria = Subscribed | SpecialUse,
}

/// <summary>What a return option adds behind the LIST response of each mailbox that meets the criteria.</summary>
internal delegate ValueTask ListAddition(ImapSession session, MailboxEntry mailbox);

/// <summary>LIST as the client asked for it.</summary>
internal sealed class ListRequest
{
    /// <summary>RFC 5258 §3: options, or several patterns; other rules hold for it.</summary>
    public bool IsExtended { get; set; }

    public ListSelection Selection { get; set; }

    /// <summary><see cref="ImapLimits.MaxMetadataEntries"/>.</summary>
    public int MaxEntries { get; init; }

    public bool ReturnsSubscribed { get; set; }

    /// <summary>RFC 5819: some addition tells counts.</summary>
    public bool ReturnsStatus { get; set; }

    /// <summary>In the order of the options.</summary>
    public List<ListAddition> Additions { get; } = [];

    public List<ListPattern> Patterns { get; } = [];

    /// <summary>The one pattern is the empty string.</summary>
    public bool IsEmptyName { get; set; }

    public bool Has(ListSelection option) => (Selection & option) != 0;

    public bool Matches(string name)
    {
        foreach (var pattern in Patterns)
        {
            if (pattern.Matches(name))
                return true;
        }

        return false;
    }
}
