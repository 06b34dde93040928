using EventMail.Domain.Accounts;
using EventMail.EventStore;
using EventMail.Projections.Accounts;

namespace EventMail.Projections.Moving;

/// <summary>Another server that had or has an account, as this log says: its copy of the log and of the contents may be there still, and an erasure here does not reach it.</summary>
/// <param name="Server">What it is called.</param>
/// <param name="Came">The account came from there; false: it went there.</param>
/// <param name="Position">Of the event that says so, in this log.</param>
public sealed record OtherPlace(string Server, bool Came, DateTimeOffset At, long Position)
{
    /// <summary>In the order in which the account was there.</summary>
    public static async Task<IReadOnlyList<OtherPlace>> OfAsync(EventLog log, string account, CancellationToken cancel)
    {
        var (places, went) = (new List<OtherPlace>(), default(OtherPlace));
        await foreach (var e in log.Reader.ReadStreamAsync(
            AccountStreamKinds.AccountStream(account).Key, types: ["account_moved_in", "account_moved_out"], cancel: cancel))
        {
            if (e.Data is AccountMovedIn from)
            {
                // What it went by stands before it: that it left the other for this one.
                went = null;
                places.Add(new(from.From, true, e.Timestamp, e.Sequence));
            }
            else if (e.Data is AccountMovedOut to)
            {
                went = new(to.To, false, e.Timestamp, e.Sequence);
            }
        }
        if (went is not null)
            places.Add(went);
        return places;
    }
}
