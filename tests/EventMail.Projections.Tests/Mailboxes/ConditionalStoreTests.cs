using EventMail.Domain.Mailboxes;
using EventMail.Projections.Mailboxes;

namespace EventMail.Projections.Tests.Mailboxes;

/// <summary>STORE with UNCHANGEDSINCE (RFC 7162 §3.1.3), which asks the log what has become of its flags.</summary>
public class ConditionalStoreTests
{
    private const string Account = "aaaaaaaa";

    [Fact]
    public async Task A_condition_too_far_back_goes_by_messages()
    {
        await using var database = await MailNode.DatabaseAsync();
        await using var node = await MailNode.StartAsync(database);
        await node.AddAccountAsync(Account);
        await node.AppendAsync(Account, "Archive", 1);
        using var archive = await node.OpenAsync(Account, "Archive");
        var since = archive.View.HighestModSeq;
        await node.StoreAsync(archive, "1", StoreMode.Add, @"\Flagged");
        await PassAsync(MailboxLimits.MaxEventsOfCondition - (archive.View.HighestModSeq - since));
        (await ModifiedAsync()).ShouldBe("");
        await PassAsync(1);
        (await ModifiedAsync()).ShouldBe("1");

        async Task PassAsync(long events)
        {
            var command = new MailNode.Plain([MailboxKind.Stream(archive.Key)], decision =>
            {
                for (var i = 0; i < events; i++)
                    decision.Append(archive.Key, new RecentClaimed(1));
            });
            (await node.Log.Executor.ExecuteAsync(command, default)).Rejection.ShouldBeNull();
        }

        // The message does not have it, so that nothing changes.
        async Task<string> ModifiedAsync() => (await node.Mailboxes.StoreAsync(
            archive, UidSet.Of(1), StoreMode.Remove, [@"\Answered"], since, MailNode.Someone, "1", default)).Value!.Modified.ToString();
    }

    [Fact]
    public void What_happens_behind_the_look_at_the_log_goes_by_messages()
    {
        var history = new FlagHistory(UpTo: 10, UidSet.Parse("3"));
        var state = MailboxState.Empty.Evolve(new MailboxCreated("a", 1, null), 1, default) with { View = MailboxView.Empty };
        for (uint uid = 1; uid <= 4; uid++)
            state = state.Evolve(new MessageAppended(uid, new(uid, "", 1), default, [], null), uid + 1, default);
        state = state.Evolve(new FlagsChanged([new(@"\Flagged", "2", "")]), 9, default);
        state = state.Evolve(new FlagsChanged([new(@"\Seen", "3", "")]), 10, default);
        state = state.Evolve(new FlagsChanged([new(@"\Flagged", "4", "")]), 11, default);
        MailboxDecider.Store(state, UidSet.Parse("1:4"), StoreMode.Add, [@"\Seen"], 5, history: history).Value!.Modified.ToString().ShouldBe("3:4");
        MailboxDecider.Store(state, UidSet.Parse("1:4"), StoreMode.Add, [@"\Seen"], 5).Value!.Modified.ToString().ShouldBe("2:4");
    }
}
