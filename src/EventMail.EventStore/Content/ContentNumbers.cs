using Npgsql;

namespace EventMail.EventStore;

/// <summary>Hands out content numbers from blocks of the sequence, so that a number costs no round trip.</summary>
internal sealed class ContentNumbers(NpgsqlDataSource source)
{
    // The sequence's increment (eventmail.sql).
    internal const int Block = 1024;

    private readonly SemaphoreSlim _refill = new(1);
    private readonly Lock _gate = new();
    private long _next;
    private long _end;

    public ValueTask<long> NextAsync(CancellationToken cancel) => TryTake(out var number) ? new(number) : RefillAsync(cancel);

    private bool TryTake(out long number)
    {
        lock (_gate)
        {
            number = _next;
            if (_next == _end)
                return false;
            _next++;
            return true;
        }
    }

    private async ValueTask<long> RefillAsync(CancellationToken cancel)
    {
        await _refill.WaitAsync(cancel);
        try
        {
            long number;
            while (!TryTake(out number))
            {
                await using var command = source.CreateCommand("select nextval('eventmail.content_number')");
                var first = (long)(await command.ExecuteScalarAsync(cancel))!;
                lock (_gate)
                    (_next, _end) = (first, first + Block);
            }
            return number;
        }
        finally
        {
            _refill.Release();
        }
    }
}
