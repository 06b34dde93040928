using System.Text;
using System.Text.Json.Serialization;
using EventMail.Domain.Mailboxes;
using EventMail.EventStore;
using EventMail.Projections.Mailboxes;
using EventMail.Projections.Past;
using EventMail.Projections.Replaying;
using EventMail.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace EventMail.Projections.Tests.Evolving;

/// <summary>As if an older program had marked and removed messages in one event.</summary>
public sealed record MessagesSwept(string Uids, long Bytes, int Unseen);

[JsonSerializable(typeof(MessagesSwept))]
internal sealed partial class OlderMailJson : JsonSerializerContext;

/// <summary>A mailbox whose stream has a row of an old type that is read as two events: everything that reads mail sees both, at one MODSEQ.</summary>
public sealed class SplitMailTests : IAsyncLifetime
{
    private static readonly Actor Someone = new("user@example.test", "session", """{"protocol":"imap"}""");

    private TestMail _mail = null!;
    private string _account = "";

    public static EventTypeMap Types() => EventTypes.Create().Split(
        "messages_swept", OlderMailJson.Default.MessagesSwept, [typeof(FlagsChanged), typeof(MessagesExpunged)],
        old => [new FlagsChanged([new("Swept", "1", "")]), new MessagesExpunged(old.Uids, old.Bytes, old.Unseen, null)]);

    public async Task InitializeAsync()
    {
        _mail = await TestMail.StartAsync(types: Types);
        _account = (await _mail.NewAccountAsync()).Account;
        for (var n = 1; n <= 3; n++)
            await AppendAsync();
    }

    public async Task DisposeAsync() => await _mail.DisposeAsync();

    private async Task AppendAsync()
    {
        await using var message = IncomingMessage.Begin(_mail.Log.Contents);
        await message.WriteAsync(Encoding.ASCII.GetBytes("Subject: x\r\n\r\nBody\r\n"), default);
        (await _mail.Mailboxes.AppendAsync(_account, "INBOX", await message.CompleteAsync(false, default), [], DateTimeOffset.UnixEpoch, Someone, "A", default))
            .Rejection.ShouldBeNull();
    }

    /// <summary>UID 2 is swept, behind this node's back.</summary>
    private async Task<StreamKey> SweepAsync(OpenMailbox inbox)
    {
        await using var command = _mail.Database.DataSource.CreateCommand("""
            with s as (update mt_streams set version = version + 1, timestamp = now() where id = $1 returning *)
            insert into mt_events (seq_id, id, stream_id, version, data, type, timestamp, tenant_id, user_name, correlation_id)
            select nextval('mt_events_sequence'), gen_random_uuid(), id, version, $2::jsonb, 'messages_swept', timestamp, tenant_id, 'user@example.test', 'session' from s
            """);
        command.Parameters.Add(new() { Value = inbox.Ref.Key.Id });
        command.Parameters.Add(new() { Value = $$"""{"Uids": "2", "Bytes": {{inbox.View[1].Size}}, "Unseen": 1}""" });
        (await command.ExecuteNonQueryAsync()).ShouldBe(1);
        return inbox.Ref.Key;
    }

    [Fact]
    public async Task Views_MODSEQs_the_past_history_and_rebuilds_have_both_parts_at_the_version_of_the_row()
    {
        var inbox = (await _mail.Mailboxes.OpenAsync(_account, "INBOX", default)).Value!;
        var before = inbox.View.HighestModSeq;
        var key = await SweepAsync(inbox);

        // The next command catches up: an open view has both, and then the command's own event.
        await AppendAsync();
        var view = (await _mail.Mailboxes.Views.LoadAsync(key, default)).View!;
        view.HighestModSeq.ShouldBe(before + 2);
        Enumerable.Range(0, view.Count).Select(i => (view[i].Uid, view[i].ModSeq)).ShouldBe([(1u, before + 1), (3u, before), (4u, before + 2)]);
        (await _mail.Mailboxes.VanishedAsync(inbox, view, UidSet.OfRange(1, 4), before, default)).ToString().ShouldBe("2");
        (await _mail.Mailboxes.VanishedAsync(inbox, view, UidSet.OfRange(1, 4), before + 1, default)).IsEmpty.ShouldBeTrue();

        // As of the row's version both have happened, before it none.
        var past = new PastMailboxes(_mail.Log);
        (await past.OpenAsync(key, before, default)).Messages.ShouldBe(3);
        var swept = await past.OpenAsync(key, before + 1, default);
        (swept.Messages, swept.Unseen, swept.Version).ShouldBe((2, 2, before + 1));
        swept.Flags.Keywords.ShouldBe(["Swept"]);

        var replay = new LogReplay();
        await foreach (var e in _mail.Log.Reader.ReadAllAsync(0))
            replay.Fold(e);
        replay.States()[key].Messages.ShouldBe(3);

        // People are told of the row once, and find it by the names of today.
        var told = await _mail.History.ReadAsync(new() { Accounts = [_account], Types = ["messages_expunged"] }, default).ToListAsync();
        told.ShouldHaveSingleItem().Type.ShouldBe("messages_swept");
        told[0].What.ShouldContain("; ");
        told[0].Version.ShouldBe(before + 1);

        inbox.Dispose();
        // Rows that are written with the commits have not seen what was written behind their back: made anew, they have.
        var models = ReadModels.All(NullLoggerFactory.Instance);
        foreach (var follower in models.OfType<IAsyncProjection>())
            follower.Join(_mail.Log);
        var generations = new Generations(new()
        {
            ConnectionString = _mail.Database.ConnectionString,
            Types = Types(),
            DataFolder = "",
            Keys = _mail.Database.Keys,
            Kinds = ReadModels.Kinds,
            Models = models,
            PageSize = 3,
        });
        await generations.RebuildAsync([], true, _ => Task.CompletedTask, default);
        await using (var quota = _mail.Database.DataSource.CreateCommand($"select messages from projections.quota where tenant_id = '{_account}'"))
            (await quota.ExecuteScalarAsync()).ShouldBe(3L);
        (await generations.VerifyAsync([], _ => Task.CompletedTask, default)).SelectMany(model => model.Drifts).ShouldBeEmpty();
        await _mail.ShouldBeWhatTheLogSaysAsync();
    }
}
