using System.Globalization;
using System.Net;
using EventMail.Host.Composition;
using EventMail.Projections.History;

namespace EventMail.Host.Http.Admin.Resources;

/// <summary>/history and /accounts/{account}/history: what happened, when, by whom, from where.</summary>
internal sealed class HistoryResource(MailStore store, int maxPage)
{
    private const string Read = "read:history";

    private static readonly Parameter[] Filters =
    [
        new("mailbox", ParameterKind.Text, "Only mailboxes that have or had this name."),
        new("message", ParameterKind.Text, "A message's whole life: its Message-ID, its EMAILID, or the SHA-256 of its octets in hex."),
        new("session", ParameterKind.Text, "Everything that a session did."),
        new("address", ParameterKind.Text, "Who sent, received, logged in or tried to, or acted."),
        new("client", ParameterKind.Text, "Where the client was: an address, or a prefix such as 192.0.2.0/24."),
        new("protocol", ParameterKind.Text, "imap, pop3, smtp, lmtp, submission, http, cli."),
        new("types", ParameterKind.Text, "Types of events, separated by commas."),
        new("since", ParameterKind.Time, "From this time on."),
        new("until", ParameterKind.Time, "Before this time."),
    ];

    private readonly HistoryLog _history = store.History;

    public IEnumerable<Operation> Operations =>
    [
        new("GET", "/history", Read, "The log in plain words and in its order.", request => PageAsync(request, null))
        {
            Query = [.. Parameter.Page(maxPage), .. Filters], Answer = ApiJson.Default.PageHistoryEntry,
        },
        new("GET", "/accounts/{account}/history", Read, "The log of an account, also of a closed one.", OfAccountAsync)
        {
            Query = [.. Parameter.Page(maxPage), .. Filters], Answer = ApiJson.Default.PageHistoryEntry,
        },
    ];

    private async Task<ApiAnswer> OfAccountAsync(ApiRequest request)
    {
        var accounts = await _history.AccountsAsync(request.Path("account"), request.Cancel);
        return accounts.Count > 0 ? await PageAsync(request, accounts) : AccountFinder.Missing;
    }

    private async Task<ApiAnswer> PageAsync(ApiRequest request, IReadOnlyList<string>? accounts)
    {
        var after = 0L;
        if (request.Text("after") is { } cursor && !long.TryParse(cursor, NumberStyles.None, CultureInfo.InvariantCulture, out after))
            return ApiAnswer.BadParameter("after is a position in the log");
        var client = default(IPNetwork?);
        if (request.Text("client") is { } text)
        {
            if (IPNetwork.TryParse(text, out var prefix))
                client = prefix;
            else if (IPAddress.TryParse(text, out var address))
                client = new(address, address.GetAddressBytes().Length * 8);
            else
                return ApiAnswer.BadParameter("client is an IP address, or a prefix without bits behind it");
        }
        if (EventTypeNames.Read(request.Text("types"), store.Log.Types, out var types) is { } unknown)
            return unknown;
        var query = new HistoryQuery
        {
            Accounts = accounts,
            Mailbox = request.Text("mailbox"),
            Message = request.Text("message"),
            Session = request.Text("session"),
            Address = request.Text("address"),
            Client = client,
            Protocol = request.Text("protocol"),
            Types = types,
            Since = request.Time("since"),
            Until = request.Time("until"),
            After = after,
        };
        return ApiAnswer.Json(
            await Page<HistoryEntry>.OfAsync(
                _history.ReadAsync(query, request.Cancel), request.Limit, entry => entry,
                entry => entry.Sequence.ToString(CultureInfo.InvariantCulture), request.Cancel),
            ApiJson.Plain.PageHistoryEntry);
    }
}
