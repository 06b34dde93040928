using EventMail.EventStore;
using EventMail.Projections.Accounts;
using EventMail.Projections.Mailboxes;
using EventMail.Projections.Maildrops;
using Npgsql;

namespace EventMail.Projections.Verification;

/// <summary>How far a filling is.</summary>
/// <param name="Model">The read model's name.</param>
/// <param name="Done">Contents, or accounts, that were looked at.</param>
/// <param name="Total">How many there were when it began.</param>
/// <param name="Unreadable">Contents that are missing, damaged, erased or without their key: they get no row.</param>
public readonly record struct FillProgress(string Model, long Done, long Total, long Unreadable);

/// <summary>
/// Makes the rows that are derived from messages before anybody asks for them: behind a rebuild, which leaves them empty. Page by page; a row that
/// is there is not made again, so that it may end and go on at any time.
/// </summary>
public sealed class DerivedRows(EventLog log, MailboxService mailboxes)
{
    private const int Page = 256;

    // What is made here is not read here.
    private const long CacheBytes = 8L * 1024 * 1024;

    private const string Missing = """
        select c.number, c.size from eventmail.content c
        where c.number > $1 and not exists (select from {0} r where r.number = c.number) order by c.number limit $2
        """;

    private const string CountMissing = "select count(*) from eventmail.content c where not exists (select from {0} r where r.number = c.number)";

    /// <summary>The names of those that can be filled.</summary>
    public static IReadOnlyList<string> Models { get; } =
        [.. ReadModels.Inline().Where(m => m is MessageSummaryProjection or MessagePreviewTable or MaildropFormProjection).Select(m => m.Name)];

    /// <param name="names">Of <see cref="Models"/>; none: all.</param>
    public async Task FillAsync(IReadOnlyList<string> names, Func<FillProgress, Task> report, CancellationToken cancel)
    {
        using var summaries = new MessageSummaries(log, CacheBytes);
        foreach (var model in ReadModels.Inline().Where(m => Models.Contains(m.Name) && (names.Count == 0 || names.Contains(m.Name))))
        {
            switch (model)
            {
                case MessageSummaryProjection:
                    await FillAsync(model, async (numbers, _) => await GetEachAsync(numbers, summaries, cancel).ConfigureAwait(false), report, cancel).ConfigureAwait(false);
                    break;
                case MessagePreviewTable:
                    await FillAsync(model, (numbers, sizes) => GetPreviewsAsync(numbers, sizes, summaries.Previews, cancel), report, cancel).ConfigureAwait(false);
                    break;
                default:
                    await FillFormsAsync(model.Name, report, cancel).ConfigureAwait(false);
                    break;
            }
        }
    }

    /// <param name="make">Answers how many could not be read.</param>
    private async Task FillAsync(IReadModel model, Func<List<long>, List<long>, Task<int>> make, Func<FillProgress, Task> report, CancellationToken cancel)
    {
        var table = model.Tables[0];
        await using var count = log.DataSource.CreateCommand(string.Format(null, CountMissing, table));
        var progress = new FillProgress(model.Name, 0, (long)(await count.ExecuteScalarAsync(cancel).ConfigureAwait(false))!, 0);
        await report(progress).ConfigureAwait(false);
        for (var after = 0L; ;)
        {
            var (numbers, sizes) = (new List<long>(), new List<long>());
            await using (var command = log.DataSource.CreateCommand(string.Format(null, Missing, table)))
            {
                command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = after });
                command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = Page });
                await using var row = await command.ExecuteReaderAsync(cancel).ConfigureAwait(false);
                while (await row.ReadAsync(cancel).ConfigureAwait(false))
                {
                    numbers.Add(row.GetInt64(0));
                    sizes.Add(row.GetInt64(1));
                }
            }
            if (numbers.Count == 0)
                return;
            var unreadable = await make(numbers, sizes).ConfigureAwait(false);
            after = numbers[^1];
            progress = progress with { Done = progress.Done + numbers.Count, Total = Math.Max(progress.Total, progress.Done + numbers.Count), Unreadable = progress.Unreadable + unreadable };
            await report(progress).ConfigureAwait(false);
        }
    }

    private static async Task<int> GetEachAsync(List<long> numbers, MessageSummaries summaries, CancellationToken cancel)
    {
        var unreadable = 0;
        foreach (var number in numbers)
        {
            try
            {
                await summaries.GetAsync(number, cancel).ConfigureAwait(false);
            }
            catch (ContentUnreadableException)
            {
                unreadable++;
            }
        }
        return unreadable;
    }

    private static async Task<int> GetPreviewsAsync(List<long> numbers, List<long> sizes, MessagePreviews previews, CancellationToken cancel)
    {
        try
        {
            await previews.GetAsync(numbers, sizes, derive: true, cancel).ConfigureAwait(false);
            return 0;
        }
        catch (ContentUnreadableException) when (numbers.Count > 1)
        {
            var unreadable = 0;
            for (var i = 0; i < numbers.Count; i++)
                unreadable += await GetPreviewsAsync([numbers[i]], [sizes[i]], previews, cancel).ConfigureAwait(false);
            return unreadable;
        }
        catch (ContentUnreadableException)
        {
            return 1;
        }
    }

    private async Task FillFormsAsync(string model, Func<FillProgress, Task> report, CancellationToken cancel)
    {
        // Not while the rows are read: it takes as long as it takes.
        var accounts = new List<string>();
        await foreach (var listing in new DirectoryQueries(log.DataSource).AccountsAsync(cancel).ConfigureAwait(false))
            accounts.Add(listing.Account);
        var progress = new FillProgress(model, 0, accounts.Count, 0);
        await report(progress).ConfigureAwait(false);
        foreach (var account in accounts)
        {
            var unreadable = 0;
            try
            {
                // As a login by POP3 does, which needs those of INBOX alone.
                if ((await mailboxes.OpenAsync(account, "INBOX", cancel).ConfigureAwait(false)).Value is { } inbox)
                {
                    using (inbox)
                        await MaildropFormProjection.ReadAsync(log, account, inbox.View, cancel).ConfigureAwait(false);
                }
            }
            catch (ContentUnreadableException)
            {
                unreadable = 1;
            }
            progress = progress with { Done = progress.Done + 1, Unreadable = progress.Unreadable + unreadable };
            await report(progress).ConfigureAwait(false);
        }
    }
}
