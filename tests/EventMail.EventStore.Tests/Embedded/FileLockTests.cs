using EventMail.EventStore.Embedded;

namespace EventMail.EventStore.Tests.Embedded;

public sealed class FileLockTests : IDisposable
{
    private readonly string _path = Path.GetTempFileName();

    public void Dispose() => File.Delete(_path);

    [Fact]
    public void An_exclusive_lock_keeps_everyone_else_out_until_it_is_disposed()
    {
        var first = FileLock.TryTake(_path)!;
        first.Write("it is mine\n");
        FileLock.TryTake(_path).ShouldBeNull();
        FileLock.TryTake(_path, exclusive: false).ShouldBeNull();
        FileLock.ReadNote(_path).ShouldBe("it is mine");
        first.Dispose();
        using var second = FileLock.TryTake(_path);
        second.ShouldNotBeNull();
    }

    [Fact]
    public void Shared_locks_live_beside_each_other_and_the_last_one_may_become_exclusive()
    {
        var first = FileLock.TryTake(_path, exclusive: false)!;
        using var second = FileLock.TryTake(_path, exclusive: false)!;
        second.TryConvert(exclusive: true).ShouldBeFalse();
        first.Dispose();
        second.TryConvert(exclusive: true).ShouldBeTrue();
    }

    [Fact]
    public async Task Waiting_for_a_lock_ends_with_the_files_name()
    {
        using var first = FileLock.TryTake(_path);
        var timeout = await Should.ThrowAsync<TimeoutException>(
            () => FileLock.TakeAsync(_path, exclusive: true, TimeSpan.FromMilliseconds(50), CancellationToken.None));
        timeout.Message.ShouldContain(_path);
    }
}
