using EventMail.Domain.Mailboxes;
using EventMail.Host.Composition;
using EventMail.Host.Restoring;
using EventMail.Projections.Replaying;

namespace EventMail.Host.Http.Admin.Resources;

/// <param name="Uids">As IMAP writes sets of them: 3,7:12.</param>
internal sealed record UidsDocument(long Count, string Uids)
{
    public static UidsDocument Of(UidSet uids) => new(uids.Count, uids.ToString());
}

/// <param name="Name">At the later instant, or its last one.</param>
/// <param name="Was">Its name at the earlier instant where that was another.</param>
/// <param name="Change">created, deleted or changed.</param>
/// <param name="Flags">Messages that are there at both, with other flags.</param>
internal sealed record DifferenceDocument(Guid Id, string Name, string? Was, string Change, UidsDocument Gained, UidsDocument Lost, UidsDocument Flags)
{
    public static DifferenceDocument Of(ReplayDifference difference) => new(
        difference.Key.Id, difference.Mailbox, difference.Was, difference.Change, UidsDocument.Of(difference.Gained), UidsDocument.Of(difference.Lost),
        UidsDocument.Of(difference.Flags));
}

internal sealed record DifferenceListDocument(DateTimeOffset From, DateTimeOffset To, IReadOnlyList<DifferenceDocument> Items);

/// <summary>/accounts/{account}/diff, /accounts/{account}/mailboxes/{mailbox}/diff: what two instants differ in. Also of accounts that were closed.</summary>
internal sealed class DifferencesResource(MailStore store)
{
    private const string Read = "read:mailboxes";

    private static readonly Parameter[] Instants =
    [
        new("from", ParameterKind.Time, "The earlier instant.") { Required = true }, new("to", ParameterKind.Time, "The later one; now where it is left out."),
    ];

    private readonly PastDifferences _differences = new(store.Past);
    private readonly AccountRestore _accounts = new(store);

    public IEnumerable<Operation> Operations =>
    [
        new("GET", "/accounts/{account}/diff", Read, "Mailboxes that were made, deleted, renamed or changed between two instants: messages gained and lost, and other flags.",
            request => BetweenAsync(request, null))
        {
            Query = Instants, Answer = ApiJson.Default.DifferenceListDocument,
        },
        new("GET", "/accounts/{account}/mailboxes/{mailbox}/diff", Read, "The same of one mailbox, by its name at the later instant, or the earlier one, or its id.",
            request => BetweenAsync(request, request.Path("mailbox")))
        {
            Query = Instants, Answer = ApiJson.Default.DifferenceListDocument,
        },
    ];

    private async Task<ApiAnswer> BetweenAsync(ApiRequest request, string? mailbox)
    {
        if (await _accounts.FindAsync(request.Path("account"), request.Cancel) is not { } account)
            return AccountFinder.Missing;
        var (from, to) = (request.Time("from")!.Value, request.Time("to") ?? DateTimeOffset.UtcNow);
        var (differences, rejection) = await _differences.BetweenAsync(account, mailbox, from, to, request.Cancel);
        return rejection is not null
            ? ApiAnswer.Refused(rejection)
            : ApiAnswer.Json(new(from, to, [.. differences!.Select(DifferenceDocument.Of)]), ApiJson.Plain.DifferenceListDocument);
    }
}
