namespace EventMail.EventStore.Tests;

public sealed class BoundedCacheTests
{
    [Fact]
    public void What_is_not_asked_for_is_forgotten_and_what_is_stays()
    {
        var cache = new BoundedCache<int, int>(10);
        for (var i = 0; i < 100; i++)
        {
            cache.Set(i, i);
            cache.TryGet(0, out _).ShouldBeTrue();
        }
        Enumerable.Range(0, 100).Count(i => cache.TryGet(i, out _)).ShouldBeInRange(2, 21);
    }

    [Fact]
    public async Task What_was_removed_does_not_come_back_while_others_read_and_generations_turn()
    {
        for (var round = 0; round < 3000; round++)
        {
            var cache = new BoundedCache<int, int>(4);
            cache.Set(0, 0);
            for (var i = 1; i < 4 + (round % 3); i++)
                cache.Set(i, i);
            using var start = new Barrier(3);
            var reading = Task.Run(() =>
            {
                start.SignalAndWait();
                for (var i = 0; i < 5; i++)
                    cache.TryGet(0, out _);
            });
            var turning = Task.Run(() =>
            {
                start.SignalAndWait();
                for (var i = 10; i < 18; i++)
                    cache.Set(i, i);
            });
            start.SignalAndWait();
            cache.Remove(0);
            await Task.WhenAll(reading, turning);
            cache.TryGet(0, out _).ShouldBeFalse($"round {round}");
        }
    }
}
