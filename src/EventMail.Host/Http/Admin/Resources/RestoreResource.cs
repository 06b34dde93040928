using EventMail.Domain;
using EventMail.Domain.Mailboxes;
using EventMail.Host.Cli;
using EventMail.Host.Composition;
using EventMail.Host.Http.Admin.Jobs;
using EventMail.Host.Restoring;
using EventMail.Projections.Restoring;

namespace EventMail.Host.Http.Admin.Resources;

/// <summary>/accounts/{account}/restore and /sessions/{session}/undo: undo, as jobs.</summary>
internal sealed class RestoreResource(MailStore store, JobBoard jobs)
{
    private const string Scope = "write:restore";

    private readonly AccountRestore _restore = new(store);

    public IEnumerable<Operation> Operations =>
    [
        new("POST", "/accounts/{account}/restore", Scope, "Makes mailboxes again what they were at an instant; an account that was closed is opened again. Or says what that would do.", RestoreAsync)
        {
            Body = ApiJson.Default.NewRestoreDocument, Answer = ApiJson.Default.JobDocument, Result = ApiJson.Default.RestoreDocument, Status = 202,
        },
        new("POST", "/sessions/{session}/undo", Scope, "Undoes all that a session did. Or says what that would do.", UndoAsync)
        {
            Body = ApiJson.Default.NewUndoDocument, Answer = ApiJson.Default.JobDocument, Result = ApiJson.Default.UndoDocument, Status = 202,
        },
    ];

    private async Task<ApiAnswer> RestoreAsync(ApiRequest request)
    {
        var wanted = request.BodyOf<NewRestoreDocument>();
        if (!ApiTime.TryRead(wanted.To, out var to))
            return ApiAnswer.Refused(Rejection.Invalid($"to is {ApiTime.Advice}"));
        var uids = default(UidSet);
        if (wanted.Messages is { } text && (wanted.Mailbox is null || !UidSet.TryParse(text, out uids)))
            return ApiAnswer.Refused(Rejection.Invalid("messages are UIDs of the mailbox, ascending: 3,7:12"));
        if (await _restore.FindAsync(request.Path("account"), request.Cancel, to) is not { } account)
            return AccountFinder.Missing;
        IReadOnlySet<long>? contents;
        try
        {
            contents = await NamedAsync(wanted.MessageIds, account, request.Cancel);
        }
        catch (CommandFailedException error)
        {
            return ApiAnswer.Refused(Rejection.Invalid(error.Message));
        }
        var wish = new RestoreWish(account, to)
        {
            Mailbox = wanted.Mailbox,
            Messages = uids,
            Contents = contents,
            Flags = !wanted.KeepFlags,
            Moved = wanted.Moved,
            DryRun = wanted.DryRun,
        };
        if (await _restore.CheckAsync(wish, request.Cancel) is { } impossible)
            return ApiAnswer.Refused(impossible);
        return jobs.Begin(request, "restore", Scope, ApiJson.Plain.RestoreDocument, async (job, cancel) =>
        {
            var (done, rejection) = await new AccountRestore(store) { Progress = new MessageCount(job) }.RunAsync(wish, request.Actor, null, cancel);
            if (rejection is not null)
                return rejection;
            var document = new RestoreDocument(
                wish.DryRun, to, done!.Reopened, done.Mailboxes.Sum(line => line.Restored), done.Mailboxes.Count(line => line.Refused is not null), done.Mailboxes);
            return new(document, ProblemOf(document.Refused));
        });
    }

    /// <exception cref="CommandFailedException">One leads to nothing.</exception>
    private async Task<IReadOnlySet<long>?> NamedAsync(IReadOnlyList<string>? names, string account, CancellationToken cancel)
    {
        var messages = RestoreMessages.Parse(names ?? []);
        return messages.Uids is null
            ? await messages.ContentsAsync(store.History, account, cancel)
            : throw new CommandFailedException("messageIds are Message-IDs, EMAILIDs or SHA-256; UIDs are messages of a mailbox");
    }

    private async Task<ApiAnswer> UndoAsync(ApiRequest request)
    {
        var (session, wanted) = (request.Path("session"), request.BodyOf<NewUndoDocument>());
        var account = default(string);
        if (wanted.Account is { } named && (account = await _restore.FindAsync(named, request.Cancel)) is null)
            return AccountFinder.Missing;
        return jobs.Begin(request, "undo", Scope, ApiJson.Plain.UndoDocument, async (job, cancel) =>
        {
            var undone = await new AccountRestore(store) { Progress = new MessageCount(job) }.UndoAsync(session, account, wanted.DryRun, request.Actor, null, cancel);
            if (!undone.Found)
                return new Rejection(RejectionKind.NonExistent, $"No session {session} is in the log{(account is null ? "" : " of this account")}; /history tells the sessions' ids");
            var document = new UndoDocument(
                wanted.DryRun, session, undone.Mailboxes.Sum(line => line.Restored), undone.Mailboxes.Sum(line => line.Removed),
                undone.Mailboxes.Count(line => line.Refused is not null), undone.Mailboxes, undone.Subscriptions, undone.Annotations, undone.Cancelled, undone.Sent,
                undone.OtherAccounts, undone.Left, undone.Made);
            return new(document, ProblemOf(document.Refused));
        });
    }

    private static JobProblem? ProblemOf(int refused) =>
        refused == 0 ? null : new("Some mailboxes could not be restored", string.Create(null, $"{refused} of them: their `refused` says why"));

    // Of the mailbox that is being restored.
    private sealed class MessageCount(Job job) : IProgress<long>
    {
        public void Report(long value) => job.Report(new("messages", value, null));
    }
}
