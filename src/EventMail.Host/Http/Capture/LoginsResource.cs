using EventMail.Domain.Accounts;
using EventMail.EventStore;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace EventMail.Host.Http.Capture;

/// <summary>/api/logins: what clients showed when they logged in, the newest last.</summary>
internal sealed class LoginsResource(EventLog log)
{
    private const int Limit = 1000;

    private static readonly string[] Types = ["credentials_captured"];

    public void Map(IEndpointRouteBuilder routes) => routes.MapGet("/api/logins", ListAsync);

    private async Task ListAsync(HttpContext context)
    {
        if (await CaptureApi.NumberAsync(context, "after", 0, long.MaxValue) is not (true, var after))
            return;
        var user = context.Request.Query["user"].ToString();
        var logins = new Queue<LoginDocument>();
        await foreach (var e in log.Reader.ReadHistoryAsync(new() { Types = Types, AfterSequence = after ?? 0 }, context.RequestAborted))
        {
            if (e.Data is not CredentialsCaptured shown || (user.Length > 0 && !shown.User.Equals(user, StringComparison.OrdinalIgnoreCase)))
                continue;
            if (logins.Count == Limit)
                logins.Dequeue();
            logins.Enqueue(new(e.Sequence, e.Timestamp, shown.Protocol, shown.Mechanism, shown.User, shown.Password, shown.Client, shown.Tls));
        }
        await CaptureApi.WriteAsync(context, new([.. logins]), CaptureJson.Plain.LoginListDocument);
    }
}

/// <param name="Password">Null where the mechanism does not show it.</param>
internal sealed record LoginDocument(
    long Id, DateTimeOffset Time, string Protocol, string Mechanism, string User, string? Password, string Client, bool Tls);

internal sealed record LoginListDocument(IReadOnlyList<LoginDocument> Logins);
