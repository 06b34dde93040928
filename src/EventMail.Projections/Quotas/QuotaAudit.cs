using System.Data;
using EventMail.Domain;
using EventMail.Domain.Accounts;
using EventMail.Domain.Mailboxes;
using EventMail.EventStore;
using EventMail.Projections.Accounts;
using EventMail.Projections.Mailboxes;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace EventMail.Projections.Quotas;

/// <param name="Kept">What the projection said.</param>
/// <param name="Found">What the log says.</param>
public sealed record QuotaVerified(long KeptBytes, long KeptMessages, long Bytes, long Messages)
{
    public bool IsRight => KeptBytes == Bytes && KeptMessages == Messages;
}

/// <summary>Computes an account's total from the log and compares it with the one that is kept; what differs is an alarm and put right. Thread-safe.</summary>
public sealed class QuotaAudit(EventLog log, EventTypeMap types, ILoggerFactory loggers)
{
    // Somebody else changed the account meanwhile, perhaps by the same alarm.
    private const int Attempts = 5;

    private const string Kept = """
        select coalesce(q.bytes, 0), coalesce(q.messages, 0), s.version
        from public.mt_streams s left join quota q on q.tenant_id = s.tenant_id
        where s.tenant_id = $1 and s.id = $2
        """;

    private readonly ILogger _log = loggers.CreateLogger("EventMail.Quota");

    /// <param name="account">Its id.</param>
    public async Task<Result<QuotaVerified>> VerifyAsync(string account, Actor actor, CancellationToken cancel)
    {
        for (var attempt = 0; attempt < Attempts; attempt++)
        {
            if (await CompareAsync(account, cancel).ConfigureAwait(false) is not var (verified, version))
                return Rejection.AccountMissing;
            if (verified.IsRight)
                return verified;
            if (await RepairAsync(account, verified, version, actor, cancel).ConfigureAwait(false) is not { } address)
                continue;
            _log.QuotaDrift(account, address, verified.KeptBytes, verified.KeptMessages, verified.Bytes, verified.Messages);
            return verified;
        }
        return new Rejection(RejectionKind.TryAgain, "The account is being changed all the time");
    }

    // One snapshot: the row and the log as of the same commit.
    private async Task<(QuotaVerified Verified, long Version)?> CompareAsync(string account, CancellationToken cancel)
    {
        await using var connection = await log.DataSource.OpenConnectionAsync(cancel).ConfigureAwait(false);
        await using var transaction = await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, cancel).ConfigureAwait(false);
        long bytes, messages, version;
        await using (var command = new NpgsqlCommand(Kept, connection, transaction)
        {
            Parameters = { new() { Value = account }, new() { Value = AccountStreams.Account(account) } },
        })
        await using (var row = await command.ExecuteReaderAsync(cancel).ConfigureAwait(false))
        {
            if (!await row.ReadAsync(cancel).ConfigureAwait(false))
                return null;
            (bytes, messages, version) = (row.GetInt64(0), row.GetInt64(1), row.GetInt64(2));
        }
        var found = await FoldAsync(account, connection, cancel).ConfigureAwait(false);
        return (new(bytes, messages, found.Bytes, found.Messages), version);
    }

    private async Task<MailTotals> FoldAsync(string account, NpgsqlConnection connection, CancellationToken cancel)
    {
        var total = default(MailTotals);
        var (stream, state) = (Guid.Empty, MailboxState.Empty);
        await foreach (var e in StreamsOfKind.EventsAsync(MailboxKind.Instance, types, connection, cancel, account).ConfigureAwait(false))
        {
            if (e.Stream.Id != stream)
            {
                total += MailTotals.Of(state);
                (stream, state) = (e.Stream.Id, MailboxState.Empty with { View = null });
            }
            state = state.Evolve(e.Data, e.Version, e.Timestamp);
        }
        return total + MailTotals.Of(state);
    }

    // Answers the account's address; null when it must be compared again.
    private async Task<string?> RepairAsync(string account, QuotaVerified verified, long version, Actor actor, CancellationToken cancel)
    {
        var stream = AccountStreamKinds.AccountStream(account);
        var outcome = await log.Executor.ExecuteAsync(new AccountCommand(actor.Because(null), [stream], decision =>
        {
            if (decision.Version(stream.Key) != version)
                return;
            decision.Append(
                stream.Key, new QuotaDriftFound(verified.KeptBytes, verified.KeptMessages, verified.Bytes, verified.Messages));
            decision.Result = decision.State<AccountState>(stream.Key).Address;
        }), cancel).ConfigureAwait(false);
        return outcome.Result as string;
    }
}
