using System.Text.Json.Nodes;
using EventMail.Testing;

namespace EventMail.EndToEnd.Faults;

/// <summary>Another application keeps its streams in our log, as Marten writes them. Nothing of ours stumbles over them, and they are kept as ours are.</summary>
public sealed class OtherApplicationTests
{
    // As the function that Marten makes for itself appends: without headers, without metadata, the stream's row first.
    private const string QuickAppend = """
        create function mt_quick_append_events(stream uuid, stream_type varchar, tenantid varchar, event_ids uuid[], event_types varchar[], dotnet_types varchar[], bodies jsonb[])
        returns int[] language plpgsql as $$
        declare
          event_version int;
          body jsonb;
          index int := 1;
          seq int;
          return_value int[];
        begin
          select version into event_version from mt_streams where id = stream and tenant_id = tenantid;
          if event_version is null then
            event_version := 0;
            insert into mt_streams (id, type, version, timestamp, tenant_id) values (stream, stream_type, 0, now(), tenantid);
          end if;
          return_value := array[event_version + array_length(event_ids, 1)];
          foreach body in array bodies loop
            seq := nextval('mt_events_sequence');
            return_value := array_append(return_value, seq);
            event_version := event_version + 1;
            insert into mt_events (seq_id, id, stream_id, version, data, type, tenant_id, timestamp, mt_dotnet_type, is_archived)
            values (seq, event_ids[index], stream, event_version, body, event_types[index], tenantid, now(), dotnet_types[index], false);
            index := index + 1;
          end loop;
          update mt_streams set version = event_version, timestamp = now() where id = stream and tenant_id = tenantid;
          return return_value;
        end $$
        """;

    // In a tenant of its own and in Marten's default one, of a kind and of none, from one event to many, of every form of JSON.
    private static readonly string[] Appends =
    [
        """
        select mt_quick_append_events('0198f0c2-0000-7c3a-9d24-3f6a1b8c7e50', 'invoice', 'shop', array[gen_random_uuid(), gen_random_uuid()],
          array['invoice_drawn_up', 'invoice_sent'], array['Shop.InvoiceDrawnUp, Shop', 'Shop.InvoiceSent, Shop'],
          array['{"Amount": 12.50, "Lines": [{"n": 1e300}, null]}', '{"To": "näme ☃ \ud83d\ude00"}']::jsonb[])
        """,
        """
        select mt_quick_append_events('0198f0c2-0001-7c3a-9d24-3f6a1b8c7e50', null, '*DEFAULT*', array[gen_random_uuid()], array['thing_happened'], array[null]::varchar[], array['[]']::jsonb[])
        """,
        // Rich: with metadata, and headers that are no object of ours.
        """
        with s as (insert into mt_streams (tenant_id, id, type, version, timestamp) values ('shop', '0198f0c2-0002-7c3a-9d24-3f6a1b8c7e50', 'basket', 1, now()) returning *)
        insert into mt_events (seq_id, id, stream_id, version, data, type, timestamp, tenant_id, mt_dotnet_type, correlation_id, causation_id, user_name, headers, is_archived)
        select nextval('mt_events_sequence'), gen_random_uuid(), id, 1, '{}', 'basket_filled', now(), 'shop', 'Shop.BasketFilled, Shop', 'c', 'd', 'somebody', '{"protocol": {"x": [1]}, "hash": 5}', false from s
        """,
        "update mt_streams set is_archived = true where id = '0198f0c2-0002-7c3a-9d24-3f6a1b8c7e50'; update mt_events set is_archived = true where stream_id = '0198f0c2-0002-7c3a-9d24-3f6a1b8c7e50'",
        """
        select mt_quick_append_events('0198f0c2-0003-7c3a-9d24-3f6a1b8c7e50', 'mailbox_of_bees', 'shop', array[gen_random_uuid()], array['counted'], array['Shop.Counted, Shop'], array['"text"']::jsonb[])
        """,
    ];

    [Fact]
    public async Task Streams_of_another_application_stumble_nobody_and_are_kept_with_ours()
    {
        using var folder = new TempFolder();
        await using var database = await TestDatabase.CreateAsync();
        await using var server = await TestServer.StartAsync(new() { ConnectionString = database.ConnectionString, DataFolder = folder["data"], Settings = MailServer.Settings });
        var account = await MailServer.NewAccountAsync(server);
        var key = await DoAsync(server, "api-key", "create", "reader", "--scopes", "read:events");
        await RunAsync(database, QuickAppend);
        foreach (var append in Appends)
        {
            await Delivery.SendAsync(server["smtp"], account, $"Subject: {append.Length}\r\n\r\nBody\r\n");
            await RunAsync(database, append);
        }

        await Delivery.SendAsync(server["smtp"], account, "Subject: the last\r\n\r\nBody\r\n");
        var last = await ScalarAsync(database, "select max(seq_id) from mt_events");

        // The event stream tells them as they are, and goes on behind them.
        using var stop = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        var listener = new EventListener(server["http"], key.Trim().Split('\n')[^1].Trim());
        var listening = listener.RunAsync(stop.Token);
        while (listener.Positions.LastOrDefault() < last)
        {
            stop.Token.ThrowIfCancellationRequested();
            await Task.Delay(50);
        }

        await stop.CancelAsync();
        await listening;
        listener.Returns.ShouldBe(0, "it was never cut off");

        // What follows the log comes to its end, what is built from it is what it was.
        for (var patience = DateTime.UtcNow + Waiting.Limit; await ScalarAsync(database, "select min(last_seq_id) from mt_event_progression") < last; await Task.Delay(100))
        {
            DateTime.UtcNow.ShouldBeLessThan(patience, "a follower stands still");
        }

        await DoAsync(server, "projections", "rebuild");
        await DoAsync(server, "projections", "verify");
        await DoAsync(server, "projections", "status");
        await DoAsync(server, "replay", account);

        // History tells those that readers see: what is archived is hidden, as in Marten.
        var history = (await DoAsync(server, "history", "--json")).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => (string)JsonNode.Parse(line)!["type"]!).ToList();
        foreach (var type in (string[])["invoice_drawn_up", "invoice_sent", "thing_happened", "counted"])
        {
            history.ShouldContain(type);
        }

        history.ShouldNotContain("basket_filled");

        // They have no hashes, and are under the log's tree all the same.
        var audit = await server.RunAsync("audit", "verify");
        audit.Output.ShouldContain("have no hash");
        await DoAsync(server, "export", "events", folder["log.events"]);

        // A backup has them, and brings them back as they were.
        await DoAsync(server, "backup", folder["backup"]);
        await DoAsync(server, "backup", "verify", folder["backup"]);
        await using var restored = await TestDatabase.CreateAsync();
        var restore = await TestServer.RunAsync(folder["restored"], "restore-backup", folder["backup"], "--set", $"Database:ConnectionString={restored.ConnectionString}");
        restore.ExitCode.ShouldBe(0, restore.Output + restore.Error);
        const string theirs = """
            select string_agg(concat_ws(' ', seq_id, id, stream_id, version, data, type, tenant_id, mt_dotnet_type, correlation_id, headers, is_archived), E'\n' order by seq_id)
            from mt_events where tenant_id = 'shop' or type = 'thing_happened'
            """;
        (await TextAsync(restored, theirs)).ShouldBe(await TextAsync(database, theirs));
        // What archived events were is history of theirs alone; it is no damage.
        audit.ExitCode.ShouldBe(0, audit.Output + audit.Error);
    }

    private static async Task<string> DoAsync(TestServer server, params string[] arguments)
    {
        var result = await server.RunAsync(arguments);
        result.ExitCode.ShouldBe(0, $"{string.Join(' ', arguments)}: {result.Output}{result.Error}");
        return result.Output;
    }

    private static async Task RunAsync(TestDatabase database, string sql)
    {
        await using var command = database.DataSource.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    private static async Task<long> ScalarAsync(TestDatabase database, string sql)
    {
        await using var command = database.DataSource.CreateCommand(sql);
        return await command.ExecuteScalarAsync() as long? ?? 0;
    }

    private static async Task<string> TextAsync(TestDatabase database, string sql)
    {
        await using var command = database.DataSource.CreateCommand(sql);
        return (string)(await command.ExecuteScalarAsync())!;
    }
}
