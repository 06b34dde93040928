using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using EventMail.EventStore;
using EventMail.Host.Configuration;
using EventMail.Host.Webhooks;
using EventMail.Projections.Verification;
using EventMail.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace EventMail.Host.Tests.Http;

/// <summary>What is found wrong with the log and its read models, as whoever watches a server hears of it.</summary>
public sealed class AlarmTests(AdminHost host) : IClassFixture<AdminHost>
{
    private static readonly WebhookSettings Quick = new() { Poll = TimeSpan.FromMilliseconds(50), Timeout = Waiting.Limit, AllowedNetworks = AdminHost.Loopback };

    private DriftWatch Watch() => new(
        host.Store.Log, host.Settings.Database.ConnectionString, host.Store.DriftAlarms,
        new() { Every = TimeSpan.FromMilliseconds(1), Rate = 1_000_000, Poll = TimeSpan.FromMilliseconds(50) }, TimeProvider.System, NullLoggerFactory.Instance);

    private async Task RunAsync(string sql)
    {
        await using var command = host.Store.Log.DataSource.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    private async Task<T> ScalarAsync<T>(string sql)
    {
        await using var command = host.Store.Log.DataSource.CreateCommand(sql);
        return (T)(await command.ExecuteScalarAsync())!;
    }

    [Fact]
    public async Task A_drift_that_is_found_behind_the_mail_reaches_webhooks_signed_event_streams_and_measures_and_so_does_its_end()
    {
        await host.AccountAsync("ann@drift.example");
        var tenant = (await host.Store.Directory.FindAsync("ann@drift.example", default))!.Account;
        using var receiver = new Receiver();
        await using var dispatcher = new WebhookDispatcher(host.Store, Quick, NullLogger.Instance);
        var added = (await host.Store.Webhooks.AddAsync(receiver.Url, ["read_model_drifted", "read_model_drift_ended"], null, AdminHost.Tester, default)).Value!;
        using var stream = await EventStream.OpenAsync(host.Admin, "/api/v1/events?types=read_model_drifted,read_model_drift_ended");
        await RunAsync($"update projections.quota set bytes = bytes + 7 where tenant_id = '{tenant}'");
        await using (Watch())
        {
            await HeardAsync("read_model_drifted", data => data["Tables"]![0]!["Keys"]![0]!.GetValue<string>().ShouldBe($$"""{"tenant_id":"{{tenant}}"}"""));
            await MeasureAsync("eventmail_projection_drift{projection=\"quota\"}", value => value == 1);
            await MeasureAsync("eventmail_projection_drift{projection=\"mailbox\"}", value => value == 0);
            (await ReadyAsync()).ShouldContain("1 rows of quota are not what it says");

            await RunAsync($"update projections.quota set bytes = bytes - 7 where tenant_id = '{tenant}'");
            await HeardAsync("read_model_drift_ended", _ => { });
            await MeasureAsync("eventmail_projection_drift{projection=\"quota\"}", value => value == 0);
        }
        await host.Store.Webhooks.RemoveAsync(added.Id, AdminHost.Tester, default);

        async Task HeardAsync(string type, Action<JsonNode> isIt)
        {
            var request = await receiver.TakeAsync();
            var body = JsonNode.Parse(request.Body)!;
            body["type"]!.GetValue<string>().ShouldBe(type);
            body["data"]!["Model"]!.GetValue<string>().ShouldBe("quota");
            isIt(body["data"]!);
            var key = Convert.FromBase64String(added.Secret["whsec_".Length..]);
            var signed = HMACSHA256.HashData(key, Encoding.UTF8.GetBytes($"{request.Id}.{request.Time}.{request.Body}"));
            request.Signature.ShouldBe($"v1,{Convert.ToBase64String(signed)}");

            var told = await stream.UntilAsync(_ => true);
            told["type"]!.GetValue<string>().ShouldBe(type);
            told["data"]!["Model"]!.GetValue<string>().ShouldBe("quota");
            isIt(told["data"]!);
        }
    }

    [Fact]
    public async Task A_stream_in_quarantine_is_counted_and_named_until_it_is_released()
    {
        await host.AccountAsync("ann@damage.example");
        await host.AppendAsync("ann@damage.example", "Archive", "Subject: x\n\nx\n");
        var seq = await ScalarAsync<long>("select max(seq_id) from public.mt_events where type = 'message_appended'");
        var data = await ScalarAsync<string>($"select data::text from public.mt_events where seq_id = {seq}");
        var key = new StreamKey(
            await ScalarAsync<string>($"select tenant_id from public.mt_events where seq_id = {seq}"), await ScalarAsync<Guid>($"select stream_id from public.mt_events where seq_id = {seq}"));
        await MeasureAsync("eventmail_quarantine_streams", value => value == 0);
        await RunAsync($"update public.mt_events set data = '[]' where seq_id = {seq}");
        await Should.ThrowAsync<DamagedStreamException>(async () =>
        {
            await foreach (var _ in host.Store.Log.Reader.ReadStreamAsync(key))
            {
                // Up to the damaged one.
            }
        });
        await MeasureAsync("eventmail_quarantine_streams", value => value == 1);
        (await ReadyAsync()).ShouldContain($"seq_id {seq} cannot be read");

        await RunAsync($"update public.mt_events set data = '{data.Replace("'", "''", StringComparison.Ordinal)}' where seq_id = {seq}");
        await MeasureAsync("eventmail_quarantine_streams", value => value == 0);
        (await ReadyAsync()).ShouldNotContain("cannot be read");
    }

    [Fact]
    public async Task An_event_that_was_altered_is_told_counted_and_named_until_it_is_as_it_was_written()
    {
        await host.AccountAsync("ann@altered.example");
        await host.AppendAsync("ann@altered.example", "Archive", "Subject: x\n\nx\n");
        var seq = await ScalarAsync<long>("select max(seq_id) from public.mt_events where type = 'message_appended'");
        var data = await ScalarAsync<string>($"select data::text from public.mt_events where seq_id = {seq}");
        using var receiver = new Receiver();
        await using var dispatcher = new WebhookDispatcher(host.Store, Quick, NullLogger.Instance);
        var added = (await host.Store.Webhooks.AddAsync(receiver.Url, ["log_altered", "log_alteration_ended"], null, AdminHost.Tester, default)).Value!;
        using var stream = await EventStream.OpenAsync(host.Admin, "/api/v1/events?types=log_altered,log_alteration_ended");
        await MeasureAsync("eventmail_log_alterations", value => value == 0);
        await using (new LogWatch(
            host.Store.Log, new() { Every = TimeSpan.FromMilliseconds(1), Rate = 1_000_000, Poll = TimeSpan.FromMilliseconds(50) }, TimeProvider.System, NullLoggerFactory.Instance))
        {
            await RunAsync($$"""update public.mt_events set data = jsonb_set(data, '{InternalDate}', '"2001-02-03T04:05:06+00:00"') where seq_id = {{seq}}""");
            await HeardAsync("log_altered");
            await MeasureAsync("eventmail_log_alterations", value => value == 1);
            (await ReadyAsync()).ShouldContain("it is not as it was written in 1 places");

            await RunAsync($"update public.mt_events set data = '{data.Replace("'", "''", StringComparison.Ordinal)}' where seq_id = {seq}");
            await HeardAsync("log_alteration_ended");
            await MeasureAsync("eventmail_log_alterations", value => value == 0);
        }
        await host.Store.Webhooks.RemoveAsync(added.Id, AdminHost.Tester, default);

        async Task HeardAsync(string type)
        {
            var body = JsonNode.Parse((await receiver.TakeAsync()).Body)!;
            foreach (var told in (JsonNode[])[body, await stream.UntilAsync(_ => true)])
            {
                told["type"]!.GetValue<string>().ShouldBe(type);
                told["data"]!["Position"]!.GetValue<long>().ShouldBe(seq);
            }
        }
    }

    [Fact]
    public async Task A_read_model_that_cannot_follow_has_a_lag_in_events_and_seconds_and_none_when_it_has_caught_up()
    {
        const string events = "eventmail_projection_lag_events{projection=\"History\"}";
        const string seconds = "eventmail_projection_lag_seconds{projection=\"History\"}";
        await host.Store.Log.Projections.WaitForAsync("History", default);
        await MeasureAsync(events, value => value == 0);
        await MeasureAsync(seconds, value => value == 0);
        await using (var connection = await host.Store.Log.DataSource.OpenConnectionAsync())
        await using (var transaction = await connection.BeginTransactionAsync())
        {
            // Behind this lock it can commit no page.
            await using (var take = connection.CreateCommand())
            {
                take.CommandText = "select 1 from eventmail.read_model where name = 'History' for update";
                await take.ExecuteScalarAsync();
            }
            for (var i = 0; i < 3; i++)
                await host.Store.Domains.AddDomainAsync($"lag{i}.example", AdminHost.Tester, default);
            await MeasureAsync(events, value => value >= 3);
            var first = await MeasureAsync(seconds, value => value > 0);
            await MeasureAsync(seconds, value => value > first);
            await transaction.RollbackAsync();
        }
        await MeasureAsync(events, value => value == 0);
        await MeasureAsync(seconds, value => value == 0);
    }

    // Hosts ask their database at most every few seconds.
    private async Task<double> MeasureAsync(string series, Func<double, bool> isIt)
    {
        string? line = null;
        for (var deadline = DateTime.UtcNow + Waiting.Limit; ; await Task.Delay(100))
        {
            DateTime.UtcNow.ShouldBeLessThan(deadline, $"{series}: {line}");
            line = (await host.Admin.GetStringAsync("/metrics")).Split('\n').SingleOrDefault(l => l.StartsWith(series + " ", StringComparison.Ordinal));
            if (line is not null && double.Parse(line.Split(' ')[^1], CultureInfo.InvariantCulture) is var value && isIt(value))
                return value;
        }
    }

    private async Task<string> ReadyAsync()
    {
        var ready = await host.Admin.GetAsync("/health/ready").JsonAsync();
        return ready["checks"]!.AsArray().Single(check => check!["name"]!.GetValue<string>() == "log")!["detail"]!.GetValue<string>();
    }
}
