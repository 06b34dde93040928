using EventMail.Domain.Mailboxes;
using EventMail.Protocols.Imap.Annotations;
using EventMail.Protocols.Imap.Commands;
using EventMail.Protocols.Imap.Grammar;

namespace EventMail.Protocols.Imap.Listing;

/// <summary>Reads what stands behind an option's name, and notes it in the request. False after a syntax error.</summary>
internal delegate bool ListOptionReader(ref CommandParser arguments, ListRequest request);

/// <summary>An option of an extended LIST (RFC 5258 §3). Named twice it counts once.</summary>
/// <param name="Name">In capitals.</param>
internal sealed record ListOption(string Name, ListOptionReader Read)
{
    /// <summary>Selection options: a new extension is a new row.</summary>
    public static readonly ListOption[] Selecting =
    [
        // RFC 5258 §3.1
        Select("SUBSCRIBED", ListSelection.Subscribed),
        Select("REMOTE", ListSelection.Remote),
        Select("RECURSIVEMATCH", ListSelection.RecursiveMatch),
        // RFC 6154 §2
        Select("SPECIAL-USE", ListSelection.SpecialUse),
    ];

    /// <summary>Return options: a new extension is a new row.</summary>
    public static readonly ListOption[] Returning =
    [
        // RFC 5258 §3.2
        new("SUBSCRIBED", (ref _, request) => request.ReturnsSubscribed = true),
        // In every answer anyway.
        new("CHILDREN", (ref _, _) => true),
        // RFC 6154 §2: likewise.
        new("SPECIAL-USE", (ref _, _) => true),
        // RFC 5819
        new("STATUS", ReadStatus),
        // RFC 8440
        new("MYRIGHTS", ReadMyRights),
        // RFC 9590
        new("METADATA", MetadataAddition.Read),
    ];

    private static ListOption Select(string name, ListSelection option) => new(name, (ref _, request) =>
    {
        request.Selection |= option;
        // §3.1: the selection option SUBSCRIBED implies the return option.
        request.ReturnsSubscribed |= option == ListSelection.Subscribed;
        return true;
    });

    // status-option = "STATUS" SP "(" status-att *(SP status-att) ")"
    private static bool ReadStatus(ref CommandParser arguments, ListRequest request)
    {
        if (!arguments.ExpectSp() || !StatusRequest.Expect(ref arguments, out var status))
            return false;
        request.ReturnsStatus = true;
        request.Additions.Add((session, mailbox) =>
        {
            status.Enable(session);
            // RFC 5819 §2: none for what the user may look up, but not read.
            return mailbox.Selectable && (mailbox.Rights & Rights.Read) != 0 ? status.WriteAsync(session, mailbox) : default;
        });
        return true;
    }

    // RFC 8440 §3: a level that is no mailbox has no rights to tell.
    private static bool ReadMyRights(ref CommandParser arguments, ListRequest request)
    {
        request.Additions.Add((session, mailbox) =>
        {
            if (mailbox.Selectable)
                MyRights.Write(session.Writer, mailbox.Name, mailbox.Rights);
            return default;
        });
        return true;
    }
}
