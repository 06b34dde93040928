using EventMail.Domain;
using EventMail.Host.Cli;
using EventMail.Host.Composition;
using EventMail.Host.Configuration;
using EventMail.Host.Http.Admin.Jobs;
using EventMail.Projections.Retention;
using Microsoft.AspNetCore.Http;

namespace EventMail.Host.Http.Admin.Resources;

/// <param name="Account">Its id.</param>
/// <param name="Mailbox">Absent for all of the account's.</param>
/// <param name="Days">Absent: for ever.</param>
internal sealed record RetentionRuleDocument(string Account, Guid? Mailbox, int? Days);

/// <param name="DefaultDays">How long contents are kept that no rule speaks of (Retention:Expunged).</param>
internal sealed record RetentionDocument(double DefaultDays, IReadOnlyList<RetentionRuleDocument> Items);

/// <param name="Days">How long; without it for ever.</param>
/// <param name="Mailbox">Only this mailbox, by name; a deleted one by its id.</param>
internal sealed record NewRetentionDocument(int? Days = null, string? Mailbox = null);

/// <param name="DryRun">Only says what would be released.</param>
internal sealed record NewReleaseDocument(bool DryRun = false);

/// <param name="Account">The account's id; absent for everybody's mail.</param>
internal sealed record HoldDocument(string Case, string? Account, Guid? Mailbox, string? Reason, DateTimeOffset Placed);

internal sealed record HoldListDocument(IReadOnlyList<HoldDocument> Items);

/// <param name="Case">What the hold is called.</param>
/// <param name="Account">Whose mail, by address or id.</param>
/// <param name="Mailbox">Only this mailbox of the account.</param>
/// <param name="All">Everybody's mail; instead of an account.</param>
/// <param name="Reason">For the log.</param>
internal sealed record HoldChangeDocument(string Case, string? Account = null, string? Mailbox = null, bool All = false, string? Reason = null);

/// <summary>/retention, /holds: how long contents are kept, and what keeps them.</summary>
internal sealed class RetentionResource(MailStore store, HostSettings settings, JobBoard jobs)
{
    private const string Read = "read:retention";
    private const string Write = "write:retention";

    public IEnumerable<Operation> Operations =>
    [
        new("GET", "/retention", Read, "The rules of how long the contents of messages that are gone are kept.", RulesAsync) { Answer = ApiJson.Default.RetentionDocument },
        new("PUT", "/accounts/{account}/retention", Write, "Makes a rule for an account, or for one of its mailboxes.", request => TriedAsync(async () =>
        {
            var wanted = request.BodyOf<NewRetentionDocument>();
            var (account, mailbox) = await ScopeAsync(request.Path("account"), wanted.Mailbox, request.Cancel);
            return Done(await store.Retention.SetAsync(account, mailbox, wanted.Days, request.Actor, request.Cancel));
        }))
        {
            Body = ApiJson.Default.NewRetentionDocument, Status = 204,
        },
        new("DELETE", "/accounts/{account}/retention", Write, "Takes a rule back.", request => TriedAsync(async () =>
        {
            var (account, mailbox) = await ScopeAsync(request.Path("account"), request.Text("mailbox"), request.Cancel);
            return Done(await store.Retention.ClearAsync(account, mailbox, request.Actor, request.Cancel));
        }))
        {
            Query = [new("mailbox", ParameterKind.Text, "That of this mailbox, by name; of a deleted one by its id.")], Status = 204,
        },
        new("POST", "/retention/run", Write, "Releases now what no message names and whose time is over, as the server does by itself.", request =>
        {
            var dryRun = request.BodyOf<NewReleaseDocument>().DryRun;
            return Task.FromResult(jobs.Begin(request, "release", Write, ApiJson.Plain.RetentionRun, async (job, cancel) =>
                await store.Releases.RunAsync(dryRun, request.Actor, new Count(job), cancel) is { } run
                    ? run : Rejection.Limit("Another process is at it; its log says when it is done")));
        })
        {
            Body = ApiJson.Default.NewReleaseDocument, Answer = ApiJson.Default.JobDocument, Result = ApiJson.Default.RetentionRun, Status = 202,
        },
        new("GET", "/holds", Read, "The legal holds that stand, the oldest first.", HoldsAsync) { Answer = ApiJson.Default.HoldListDocument },
        Hold("/holds", "Places a hold on an account, a mailbox or everything: nothing of it is released or erased.",
            (wanted, account, mailbox, request) => store.Retention.PlaceAsync(wanted.Case, account, mailbox, wanted.Reason, request.Actor, request.Cancel)),
        Hold("/holds/release", "Ends a hold.",
            (wanted, account, mailbox, request) => store.Retention.ReleaseAsync(wanted.Case, account, mailbox, request.Actor, request.Cancel)),
    ];

    private async Task<ApiAnswer> RulesAsync(ApiRequest request) => ApiAnswer.Json(
        new(
            settings.Retention.Expunged.TotalDays,
            [.. (await store.Retention.ReadAsync(request.Cancel)).Rules.Select(rule => new RetentionRuleDocument(rule.Account, rule.Mailbox, rule.Days))]),
        ApiJson.Plain.RetentionDocument);

    private async Task<ApiAnswer> HoldsAsync(ApiRequest request) => ApiAnswer.Json(
        new(
        [
            .. (await store.Retention.ReadAsync(request.Cancel)).Holds.OrderBy(placed => placed.Hold.Placed)
                .Select(placed => new HoldDocument(placed.Hold.Case, placed.Account, placed.Hold.Mailbox, placed.Hold.Reason, placed.Hold.Placed)),
        ]),
        ApiJson.Plain.HoldListDocument);

    private Operation Hold(string path, string summary, Func<HoldChangeDocument, string?, Guid?, ApiRequest, Task<Result<Unit>>> change) =>
        new("POST", path, Write, summary, request => TriedAsync(async () =>
        {
            var wanted = request.BodyOf<HoldChangeDocument>();
            if (wanted.All == wanted.Account is not null || (wanted.All && wanted.Mailbox is not null))
                return ApiAnswer.Refused(Rejection.Invalid("Say either account (and mailbox), or all"));
            var (account, mailbox) = wanted.Account is { } named ? await ScopeAsync(named, wanted.Mailbox, request.Cancel) : (null, null);
            return Done(await change(wanted, account, mailbox, request));
        }))
        {
            Body = ApiJson.Default.HoldChangeDocument,
            Status = 204,
        };

    private async Task<(string Account, Guid? Mailbox)> ScopeAsync(string named, string? mailbox, CancellationToken cancel)
    {
        var account = await RetentionScope.AccountAsync(store, named, cancel);
        return (account, await RetentionScope.MailboxAsync(store, account, mailbox, cancel));
    }

    private static ApiAnswer Done(Result<Unit> result) => result.Rejection is { } rejection ? ApiAnswer.Refused(rejection) : ApiAnswer.NoContent;

    /// <summary>What a command would have refused is an answer that says why.</summary>
    internal static async Task<ApiAnswer> TriedAsync(Func<Task<ApiAnswer>> work)
    {
        try
        {
            return await work();
        }
        catch (Exception error) when (error is CommandFailedException or InvalidDataException)
        {
            return ApiAnswer.Problem(StatusCodes.Status422UnprocessableEntity, "It cannot be done", error.Message);
        }
    }

    private sealed class Count(Job job) : IProgress<long>
    {
        public void Report(long value) => job.Report(new("contents", value, null));
    }
}
