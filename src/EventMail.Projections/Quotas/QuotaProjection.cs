using EventMail.Domain.Accounts;
using EventMail.Domain.Mailboxes;
using EventMail.EventStore;
using EventMail.Projections.Mailboxes;
using Npgsql;

namespace EventMail.Projections.Quotas;

/// <summary>Keeps each account's total in the transaction of what changes it, and holds commits to what they were decided on: one statement a batch.</summary>
public sealed class QuotaProjection : IInlineProjection
{
    public string Name => "quota";

    public IReadOnlyList<string> Tables => ["quota"];

    public IReadOnlyList<string> Needs => ["mailbox"];

    public Task CreateAsync(NpgsqlConnection connection, CancellationToken cancel) => SqlScript.ExecuteAsync(connection, QuotaRows.Create, cancel);

    public bool Reads(object @event) => false;

    public void Fold(CommitBatch batch, NpgsqlBatch sql)
    {
        SortedDictionary<string, QuotaRows.Move>? moves = null;
        for (var i = 0; i < batch.Changes.Count; i++)
        {
            var change = batch.Changes[i];
            var by = ReferenceEquals(change.Kind, MailboxKind.Instance) ? MailTotals.Of(change.After) - MailTotals.Of(change.Before) : batch.Building ? default : Repairs(change);
            // Every account with a mailbox has a row, also one without mail.
            if (by != default || (change.FromVersion == 1 && change.After is MailboxState))
                Move(change.Key.Tenant, by, null);
        }
        foreach (var term in batch.Terms)
        {
            if (term is QuotaTerm quota)
                Move(quota.Account, default, quota);
        }
        if (moves is not null)
            sql.BatchCommands.Add(QuotaRows.Write([.. moves.Values]));

        void Move(string account, MailTotals by, QuotaTerm? term)
        {
            moves ??= new(StringComparer.Ordinal);
            var move = moves.GetValueOrDefault(account);
            moves[account] = new(account, move.By + by, term is null ? move.Term : move.Term?.And(term) ?? term);
        }
    }

    // What was found wrong is put right by as much: meanwhile others may have moved it.
    private static MailTotals Repairs(StreamChange change)
    {
        var by = default(MailTotals);
        if (change.After is AccountState)
        {
            foreach (var e in change.Events)
            {
                if (e.Data is QuotaDriftFound drift)
                    by += new MailTotals(drift.Bytes - drift.KeptBytes, drift.Messages - drift.KeptMessages);
            }
        }
        return by;
    }
}
