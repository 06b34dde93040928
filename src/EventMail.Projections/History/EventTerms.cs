using System.Net;
using EventMail.Domain.Accounts;
using EventMail.Domain.Deliveries;
using EventMail.Domain.Mailboxes;
using EventMail.Domain.Reading;
using EventMail.Domain.Reception;
using EventMail.EventStore;
using EventMail.Projections.Accounts;

namespace EventMail.Projections.History;

/// <summary>What an event can be found by.</summary>
internal static class EventTerms
{
    /// <summary>The addresses and login names that it names, and who caused it; each in the form in which names are compared, some perhaps twice.</summary>
    public static void AddAddresses(StoredEvent e, List<string> addresses)
    {
        switch (e.Data)
        {
            case MessageReceived m:
                Add(m.ReversePath);
                Add(m.Recipient);
                break;
            case MessageRefused m:
                Add(m.ReversePath);
                Add(m.Recipient);
                break;
            case MessageDiscarded m:
                Add(m.ReversePath);
                Add(m.Recipient);
                break;
            case MessageSubmitted m:
                Add(m.Sender);
                foreach (var recipient in m.Recipients)
                    Add(recipient.Address);
                break;
            case LoginFailed l:
                Add(l.User);
                break;
            case LoginThrottled l:
                Add(l.User);
                break;
            case CredentialsCaptured l:
                Add(l.User);
                break;
            case AccountOpened a:
                Add(a.Address);
                break;
            case AccountClosed a:
                Add(a.Address);
                break;
            case SendAsGranted a:
                Add(a.Address);
                break;
            case SendAsRevoked a:
                Add(a.Address);
                break;
            case AliasAdded a:
                Add(a.Address);
                foreach (var target in a.Targets)
                    Add(target);
                break;
            case AliasRemoved a:
                Add(a.Address);
                break;
        }
        Add(e.Metadata.UserName);

        void Add(string? address)
        {
            if (!string.IsNullOrEmpty(address))
                addresses.Add(LoginNames.Canonical(address));
        }
    }

    public static string? MessageId(object e) => e switch
    {
        MessageReceived m => m.MessageId,
        MessageAppended m => m.MessageId,
        MessageRefused m => m.MessageId,
        MessageDiscarded m => m.MessageId,
        MessageSubmitted m => m.MessageId,
        BounceIssued b => b.MessageId,
        _ => null,
    };

    /// <summary>The content with which a message came to be here.</summary>
    public static ContentRef? Content(object e) => e switch
    {
        MessageReceived m => m.Content,
        MessageAppended m => m.Content,
        MessageSubmitted m => m.Content,
        _ => null,
    };

    /// <summary>The contents of messages that came here from another mailbox or another time; some perhaps twice.</summary>
    public static (string Uids, long[] Contents)? Moved(object e) => e switch
    {
        MessagesCopiedIn m => (m.Uids, m.Contents),
        MessagesRestored m => (m.Uids, m.Contents),
        _ => null,
    };

    /// <summary>The mailbox and the messages in it that an event does something to; without messages: to all of them.</summary>
    public static (Guid Mailbox, UidSet Uids)? Touched(StoredEvent e) => e.Data switch
    {
        FlagsChanged m => (e.Stream.Id, UidSet.FromRanges(m.Changes.SelectMany(change => (IEnumerable<UidRange>)[.. Ranges(change.Added), .. Ranges(change.Removed)]))),
        MessagesExpunged m => (e.Stream.Id, UidSet.Parse(m.Uids)),
        MessagesRead m => (m.Mailbox, UidSet.Parse(m.Uids)),
        MailboxDeleted or MailboxRestored => (e.Stream.Id, UidSet.Empty),
        _ => null,
    };

    /// <summary>Where the client was.</summary>
    public static IPAddress? Client(StoredEvent e) => IPAddress.TryParse(ClientText(e), out var address) ? address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address : null;

    private static string? ClientText(StoredEvent e) => EventOrigin.Of(e).Client ?? e.Data switch
    {
        LoginSucceeded l => l.Client,
        LoginFailed l => l.Client,
        CredentialsCaptured l => l.Client,
        LoginThrottled l => l.Source,
        _ => null,
    };

    private static UidRange[] Ranges(string uids) => UidSet.Parse(uids).Ranges.ToArray();
}
