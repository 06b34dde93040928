using EventMail.EventStore;
using EventMail.Projections.History.Index;
using EventMail.Projections.Retention;
using EventMail.Testing;

namespace EventMail.Projections.Tests.Erasing;

/// <summary>Somebody is erased while read models are built, verified, or kept for the way back.</summary>
public sealed class ErasureBesideBuildTests : IAsyncLifetime
{
    private MarkedPerson _person = null!;
    private Task _erasing = Task.CompletedTask;

    public async Task InitializeAsync()
    {
        _person = await MarkedPerson.StartAsync();
        await _person.LiveAsync();
        await _person.CloseAsync();
        await _person.Mail.FollowedAsync();
    }

    public async Task DisposeAsync() => await _person.DisposeAsync();

    private Generations Generations => _person.Generations(o => o with { PageSize = 5, PagesPerWrite = 2, ShortTail = 0 });

    private async Task EraseAsync()
    {
        var erasures = new ErasureService(_person.Mail.Log, _person.Mail.Mailboxes, TimeProvider.System);
        var id = (await erasures.OrderAsync([], _person.Account.Account, "asked for", null, Actor.System, default)).Value;
        (await erasures.CarryOutAsync(id, Actor.System, default)).WrappingKeys.ShouldNotBeEmpty();
    }

    private async Task<long> CountAsync(string from)
    {
        await using var command = _person.Mail.Database.DataSource.CreateCommand($"select count(*) from {from}");
        return (long)(await command.ExecuteScalarAsync())!;
    }

    // Once in the middle of what is folded; the key is gone when it goes on, the erasure itself waits for it.
    private async Task EraseAtAsync(BuildProgress progress, long position)
    {
        if (progress.Phase != BuildPhase.Folding || progress.Build.Position < position || !_erasing.IsCompleted || _erasing != Task.CompletedTask)
            return;
        _erasing = Task.Run(EraseAsync);
        while (await CountAsync($"eventmail.subject_key where subject = '{_person.Account.Account}'") > 0)
        {
            await Task.Delay(5);
            _erasing.IsFaulted.ShouldBeFalse(_erasing.Exception?.ToString());
        }
    }

    private async Task NothingIsLeftAsync()
    {
        await _erasing.InTime("the erasure");
        _erasing.ShouldNotBe(Task.CompletedTask);
        await _person.Mail.FollowedAsync().InTime("those who follow the log");
        await _person.Mail.Log.Projections.WaitForAsync(HistoryIndexProjection.ProjectionName, default).InTime("the index");
        (await _person.FoundAsync()).Where(row => !IsStrangers(row)).ShouldBeEmpty();
        var drifts = _person.DriftsAsync();
        await drifts.InTime("a verification");
        (await drifts).ShouldBeEmpty();
    }

    // Names that are no account's, and where they came from, are the day's.
    private static bool IsStrangers(string row) => row.Contains("-unknown", StringComparison.Ordinal) || row.Contains(".login_", StringComparison.Ordinal)
        || row.Contains(".history_client:", StringComparison.Ordinal);

    [Theory, InlineData(0), InlineData(12), InlineData(25)]
    public async Task What_is_built_begins_anew_and_is_what_the_log_says_when_it_is_live(int position)
    {
        await Generations.RebuildAsync([], true, progress => EraseAtAsync(progress, position), default);
        // Whoever had gone on would have rows that tell of the person.
        await NothingIsLeftAsync();
        (await CountAsync("eventmail.read_model where generation > 1")).ShouldBeGreaterThan(0);
    }

    [Fact]
    public async Task What_was_built_and_waits_to_be_switched_to_is_built_anew()
    {
        await Generations.RebuildAsync([], false, _ => Task.CompletedTask, default);
        (await CountAsync("projections_next.history")).ShouldBeGreaterThan(0);
        _erasing = EraseAsync();
        await _erasing;
        (await CountAsync("pg_class where relnamespace = 'projections_next'::regnamespace")).ShouldBe(0);
        await Generations.SwitchAsync(_ => Task.CompletedTask, default);
        await NothingIsLeftAsync();
    }

    [Fact]
    public async Task A_verification_begins_anew_and_finds_nothing()
    {
        var found = await Generations.VerifyAsync([], progress => EraseAtAsync(progress, 12), default);
        found.SelectMany(model => model.Drifts).ShouldBeEmpty();
        await NothingIsLeftAsync();
    }

    [Fact]
    public async Task What_is_kept_for_the_way_back_can_be_gone_back_to()
    {
        var said = "";
        Task NoteAsync(BuildProgress progress)
        {
            said = $"{progress.Phase} {progress.Why}";
            return Task.CompletedTask;
        }
        async Task InTimeAsync(Task work, string what)
        {
            await Task.WhenAny(work, Task.Delay(Waiting.Limit));
            work.IsCompleted.ShouldBeTrue($"{what}: {said}");
            await work;
        }
        await InTimeAsync(Generations.RebuildAsync([], true, NoteAsync, default), "the build");
        await _person.Mail.FollowedAsync();
        _erasing = EraseAsync();
        await _erasing.InTime("the erasure");
        await InTimeAsync(Generations.RollbackAsync([], NoteAsync, default), "the way back");
        await NothingIsLeftAsync();
    }
}
