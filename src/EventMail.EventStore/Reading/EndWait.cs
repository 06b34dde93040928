using System.Diagnostics;
using Npgsql;

namespace EventMail.EventStore;

/// <summary>
/// The wait of one reading for the transactions that could still commit below the log's end: a little longer each time. They are over in
/// milliseconds; one that is not is told of, and told of again.
/// </summary>
internal sealed class EndWait(NpgsqlDataSource source, Action<OpenTransaction?> heldUp)
{
    private static readonly TimeSpan Longest = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Reminder = TimeSpan.FromMinutes(1);

    private readonly long _began = Stopwatch.GetTimestamp();
    private TimeSpan _wait = TimeSpan.FromMilliseconds(1);
    private TimeSpan _due = Patience;

    public async Task WaitAsync(CancellationToken cancel)
    {
        if (Stopwatch.GetElapsedTime(_began) is var waited && waited >= _due)
        {
            _due = waited + Reminder;
            await using var connection = await source.OpenConnectionAsync(cancel);
            heldUp(await OpenTransaction.OldestAsync(connection, Patience, cancel));
        }
        await Task.Delay(_wait, cancel);
        _wait = TimeSpan.FromTicks(Math.Min(2 * _wait.Ticks, Longest.Ticks));
    }
}
