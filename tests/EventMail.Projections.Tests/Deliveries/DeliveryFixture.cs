using System.Text;
using EventMail.Domain.Deliveries;
using EventMail.Domain.Mailboxes;
using EventMail.EventStore;
using EventMail.Projections.Accounts;
using EventMail.Projections.Deliveries;
using EventMail.Projections.Mailboxes;
using EventMail.Testing;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace EventMail.Projections.Tests.Deliveries;

/// <summary>A sender, a queue whose clock can be put forward, and shorthand for what an agent does.</summary>
internal sealed class DeliveryFixture : IAsyncDisposable
{
    public static readonly ClaimRequest All = new(1000, TimeSpan.FromMinutes(2), []);

    private DeliveryFixture(TestMail mail, AccountEntry sender, ForwardClock clock, DeliveryService queue) =>
        (Mail, Sender, Clock, Queue) = (mail, sender, clock, queue);

    public TestMail Mail { get; }

    public AccountEntry Sender { get; }

    public ForwardClock Clock { get; }

    public DeliveryService Queue { get; }

    public static async Task<DeliveryFixture> StartAsync(Func<DeliveryOptions, DeliveryOptions>? with = null)
    {
        var mail = await TestMail.StartAsync();
        var clock = new ForwardClock();
        return new(mail, await mail.NewAccountAsync(), clock, Open(mail.Log, mail.Directory, mail.Mailboxes, clock, with));
    }

    /// <summary>Without jitter, unless it is asked for.</summary>
    public static DeliveryService Open(
        EventLog log, Projections.Accounts.Directory directory, MailboxService mailboxes, TimeProvider clock,
        Func<DeliveryOptions, DeliveryOptions>? with = null, ILoggerFactory? loggers = null)
    {
        var options = new DeliveryOptions
        {
            Rules = new() { Jitter = 0 },
            ReportingHost = "mx.example.test",
            Node = "node-a",
            Clock = clock,
            Random = () => 0.5,
        };
        return new(log, directory, mailboxes, with is null ? options : with(options), loggers ?? NullLoggerFactory.Instance);
    }

    public async Task<StagedContent> ContentAsync(string subject = "Hello")
    {
        await using var message = IncomingMessage.Begin(Mail.Log.Contents);
        await message.WriteAsync(Encoding.UTF8.GetBytes(
            $"Return-Path: <{Sender.Address}>\r\nFrom: {Sender.Address}\r\nSubject: {subject}\r\nMessage-ID: <{Guid.NewGuid():n}@example.test>\r\n\r\nBody\r\n"), default);
        return await message.CompleteAsync(false, default);
    }

    public Submission Submission(params string[] recipients) => new(
        Sender.Account, Sender.Address, $"Return-Path: <{Sender.Address}>\r\n".Length, "m@example.test", null, null, "7bit", false, false, null, null, 0,
        [.. recipients.Select(r => new SubmittedRecipient(r, r[(r.LastIndexOf('@') + 1)..], null, NotifyOn.Default))]);

    public async Task<StreamKey> SubmitAsync(Submission submission, params SubmittedLocal[] locals)
    {
        var submitted = await Queue.SubmitAsync(
            submission, await ContentAsync(), locals, QuotaRule.EveryoneFits, new(Sender.Address, "session", "{}"), "1", default);
        submitted.Rejection.ShouldBeNull();
        return submitted.Value!.Delivery;
    }

    public Task<StreamKey> SubmitAsync(params string[] recipients) => SubmitAsync(Submission(recipients));

    public async Task<QueuedDelivery> ClaimOneAsync() => (await Queue.ClaimAsync(All, default)).ShouldHaveSingleItem();

    public async Task<QueuedDelivery> BeginOneAsync()
    {
        var row = await ClaimOneAsync();
        (await Queue.BeginAsync(row, default)).Rejection.ShouldBeNull();
        return row;
    }

    public Task<RecordedAttempt> RecordAsync(QueuedDelivery row, OutcomeKind kind, int code = 451, string enhanced = "4.3.0", string text = "try later") =>
        Queue.RecordAsync(row, Report(row, kind, code, enhanced, text), default);

    public static AttemptReport Report(QueuedDelivery row, OutcomeKind kind, int code, string enhanced, string text) => new(
        [new(row.Recipients, $"mx.{row.Domain}", "192.0.2.1:25", null, code, enhanced, text, "rcpt", 12)],
        [.. row.Recipients.Select(r => new RecipientOutcome(r, kind, code, enhanced, text, $"mx.{row.Domain}"))]);

    /// <summary>One whole attempt.</summary>
    public async Task<RecordedAttempt> AttemptAsync(OutcomeKind kind, int code = 451, string enhanced = "4.3.0", string text = "try later") =>
        await RecordAsync(await BeginOneAsync(), kind, code, enhanced, text);

    public async Task<List<object>> EventsAsync(StreamKey delivery)
    {
        var events = new List<object>();
        await foreach (var e in Mail.Log.Reader.ReadStreamAsync(delivery))
            events.Add(e.Data);
        return events;
    }

    /// <summary>As the log alone tells it.</summary>
    public async Task<DeliveryState> StateAsync(StreamKey delivery)
    {
        var state = DeliveryState.Empty;
        await foreach (var e in Mail.Log.Reader.ReadStreamAsync(delivery))
            state = state.Evolve(e.Data, e.Timestamp);
        return state;
    }

    /// <summary>The messages in an INBOX, as text.</summary>
    public async Task<List<string>> InboxAsync(AccountEntry account)
    {
        var opened = await Mail.Mailboxes.OpenAsync(account.Account, "INBOX", default);
        using var inbox = opened.Value!;
        var texts = new List<string>();
        for (var i = 0; i < inbox.View.Count; i++)
        {
            await using var content = await Mail.Log.Contents.ReadAsync(inbox.View[i].Content, default);
            var octets = new byte[content.Size];
            await content.ReadAtAsync(0, octets, default);
            texts.Add(Encoding.UTF8.GetString(octets));
        }
        return texts;
    }

    public async Task<long> RowsAsync(string where = "true")
    {
        await using var command = Mail.Log.DataSource.CreateCommand($"select count(*) from projections.delivery_queue where {where}");
        return (long)(await command.ExecuteScalarAsync())!;
    }

    public async ValueTask DisposeAsync()
    {
        await Queue.DisposeAsync();
        await Mail.DisposeAsync();
    }
}

/// <summary>The time, put forward. Timers run as ever.</summary>
internal sealed class ForwardClock : TimeProvider
{
    private long _ticks;

    public void Advance(TimeSpan by) => Interlocked.Add(ref _ticks, by.Ticks);

    public override DateTimeOffset GetUtcNow() => base.GetUtcNow().AddTicks(Interlocked.Read(ref _ticks));
}
