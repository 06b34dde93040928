using System.Text.Json;
using EventMail.Domain.Mailboxes;
using EventMail.Domain.Reception;
using EventMail.Protocols.Filters;
using EventMail.Protocols.Filters.Rspamd;
using EventMail.Protocols.Smtp.Reception;
using Microsoft.Extensions.Logging.Abstractions;

namespace EventMail.Protocols.Tests.Filters;

/// <summary>What is asked of rspamd, and what becomes of a message by its answer.</summary>
public sealed class RspamdTests(FilterStore store) : IClassFixture<FilterStore>
{
    [Fact]
    public async Task Rspamd_gets_the_message_as_it_came_and_its_envelope()
    {
        var mail = await store.NewAccountAsync();
        await using var rspamd = new RspamdServer(Answer("no action"));
        using var step = StepOf(new() { Address = rspamd.Url, Password = "secret", SettingsId = "mx" });
        (await mail.SendAsync(FilteredMail.Message, step)).ShouldStartWith("250 2.0.0 ");
        rspamd.Head[0].ShouldBe("POST /checkv2 HTTP/1.1");
        foreach (var line in new[]
        {
            "From: sender@example.com", $"Rcpt: {mail.Account.Address}", $"Deliver-To: {mail.Account.Address}", "IP: 192.0.2.1", "Helo: client.example.com",
            "MTA-Name: mx.example.org", "Settings-ID: mx", "Password: secret", $"Content-Length: {FilteredMail.Message.Length}",
        })
            rspamd.Head.ShouldContain(line);
        rspamd.Head.ShouldContain(line => line.StartsWith("Queue-Id: ", StringComparison.Ordinal));
        rspamd.Body.ShouldBe(FilteredMail.Message);
        (await mail.StoredFieldsAsync()).ShouldBe(FilteredMail.Message);
    }

    [Fact]
    public async Task Its_verdict_is_in_the_event_the_weightiest_symbols_first_and_not_more_than_thirty()
    {
        var mail = await store.NewAccountAsync();
        var symbols = string.Join(',', Enumerable.Range(1, 40).Select(i => $$"""
            "SYMBOL_{{i}}":{"name":"SYMBOL_{{i}}","score":{{i}}.125}
            """));
        await using var rspamd = new RspamdServer(
            $$$"""
            {"action":"no action","score":-1.2345,"required_score":15,"symbols":{ {{{symbols}}} } }
            """);
        using var step = StepOf(new() { Address = rspamd.Url });
        await mail.SendAsync(FilteredMail.Message, step);
        var verdict = (await mail.EventsAsync<MessageReceived>()).ShouldHaveSingleItem().Verdicts.ShouldHaveSingleItem();
        (verdict.Filter, verdict.Action, verdict.Score, verdict.Required).ShouldBe(("rspamd", "no action", -1.23, 15));
        verdict.Symbols!.Length.ShouldBe(30);
        verdict.Symbols[0].ShouldBe("SYMBOL_40(40.12)");
        await mail.Mail.ShouldBeWhatTheLogSaysAsync();
    }

    [Theory]
    [InlineData("no action", "250", "INBOX")]
    [InlineData("greylist", "250", "INBOX")]
    [InlineData("something new", "250", "INBOX")]
    [InlineData("add header", "250", "Spam")]
    [InlineData("rewrite subject", "250", "Spam")]
    [InlineData("quarantine", "250", "Spam")]
    [InlineData("soft reject", "451 4.7.1 Try again later", null)]
    [InlineData("reject", "550 5.7.1 The message was refused as spam or harmful", null)]
    [InlineData("discard", "250", null)]
    public async Task Each_action_has_its_meaning(string action, string reply, string? mailbox)
    {
        var mail = await store.NewAccountAsync();
        await using var rspamd = new RspamdServer(Answer(action));
        using var step = StepOf(new() { Address = rspamd.Url });
        (await mail.SendAsync(FilteredMail.Message, step)).ShouldStartWith(reply);
        if (mailbox is not null)
            (await mail.StoredFieldsAsync(mailbox)).ShouldBe((mailbox == "Spam" ? "X-Spam: Yes\r\n" : "") + FilteredMail.Message);
        (await mail.EventsAsync<MessageReceived>()).Count.ShouldBe(mailbox is null ? 0 : 1);
        (await mail.EventsAsync<MessageRefused>()).Count.ShouldBe(action == "reject" ? 1 : 0);
        (await mail.EventsAsync<MessageDiscarded>()).Count.ShouldBe(action == "discard" ? 1 : 0);
    }

    [Fact]
    public async Task What_an_action_means_can_be_set()
    {
        var mail = await store.NewAccountAsync();
        await using var rspamd = new RspamdServer(Answer("reject"));
        using var step = StepOf(new() { Address = rspamd.Url, Reject = FilterOutcome.Junk });
        (await mail.SendAsync(FilteredMail.Message, step)).ShouldStartWith("250 ");
        (await mail.StoredFieldsAsync("Spam")).ShouldStartWith("X-Spam: Yes\r\n");
    }

    [Fact]
    public async Task Its_words_reach_the_sender_on_one_line()
    {
        var mail = await store.NewAccountAsync();
        await using var rspamd = new RspamdServer(Answer("reject", """
            "messages":{"smtp_message":"no\r\n250 Ok \u00e9"}
            """));
        using var step = StepOf(new() { Address = rspamd.Url });
        (await mail.SendAsync(FilteredMail.Message, step)).ShouldBe("550 5.7.1 no  250 Ok ?");
    }

    [Fact]
    public async Task Fields_are_added_and_taken_out_as_it_says()
    {
        var mail = await store.NewAccountAsync();
        await using var rspamd = new RspamdServer(Answer("add header", """
            "milter":{
              "add_headers":{"X-Spamd-Result":{"value":"default: True [7.00 / 15.00];\n\tA(1)[];\nB","order":-1},"X-Two":["a",{"value":"b","order":1}],"bad name":"x"},
              "remove_headers":{"X-Old":0,"Received":-1,"X-Third":3}}
            """));
        using var step = StepOf(new() { Address = rspamd.Url });
        const string Sent = "Received: one\r\nReceived: two\r\nX-Spam: No\r\nX-Old: 1\r\nSubject: s\r\nx-old: 2\r\nX-Third: 1\r\n\r\nbody\r\n";
        (await mail.SendAsync(Sent, step)).ShouldStartWith("250 ");
        var stored = await mail.StoredFieldsAsync("Spam");
        stored.ShouldStartWith("X-Spam: Yes\r\nX-Spamd-Result: default: True [7.00 / 15.00];\r\n\tA(1)[];\r\n\tB\r\nX-Two: ");
        stored.ShouldContain("X-Two: a\r\n");
        stored.ShouldContain("X-Two: b\r\n");
        stored.ShouldEndWith("Received: one\r\nSubject: s\r\nX-Third: 1\r\n\r\nbody\r\n");
        stored.ShouldNotContain("bad name");
    }

    [Fact]
    public async Task A_subject_is_rewritten_and_encoded()
    {
        var mail = await store.NewAccountAsync();
        await using var rspamd = new RspamdServer(Answer("rewrite subject", "\"subject\":\"*** SPAM *** \\u00e9 " + new string('x', 60) + "\\r\\nTo: x\""));
        using var step = StepOf(new() { Address = rspamd.Url });
        (await mail.SendAsync(FilteredMail.Message, step)).ShouldStartWith("250 ");
        var stored = await mail.StoredFieldsAsync("Spam");
        stored.ShouldContain("\r\nSubject: =?utf-8?b?KioqIFNQQU0gKioqIMOpI");
        stored.ShouldNotContain("\r\nTo:");
        stored.ShouldEndWith("?=\r\nMessage-ID: <1@example.com>\r\n\r\nbody\r\n");
    }

    [Theory]
    [InlineData("HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n")]
    [InlineData("HTTP/1.1 403 unauthorized\r\nContent-Length: 0\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{")]
    [InlineData("HTTP/1.1 200 OK\r\n\r\n<html>")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("""{"error":"task timeout"}""")]
    [InlineData("""{"action":7}""")]
    [InlineData("HTTP/9 nonsense")]
    [InlineData(null)]
    public async Task Without_a_proper_answer_it_was_not_asked(string? answer)
    {
        var mail = await store.NewAccountAsync();
        await using var rspamd = new RspamdServer(answer);
        var options = new RspamdOptions { Address = rspamd.Url, Timeout = answer is null ? TimeSpan.FromMilliseconds(300) : Testing.Waiting.Limit };
        using var strict = StepOf(options);
        (await mail.SendAsync(FilteredMail.Message, strict)).ShouldBe("451 4.7.1 The message could not be checked, try again later");
        (await mail.EventsAsync<MessageReceived>()).ShouldBeEmpty();
    }

    [Fact]
    public async Task Where_nobody_is_the_message_is_put_off_or_let_in_as_set()
    {
        var mail = await store.NewAccountAsync();
        // The port of "discard", where nobody listens.
        var nobody = new Uri("http://127.0.0.1:9");
        using var strict = StepOf(new() { Address = nobody });
        (await mail.SendAsync(FilteredMail.Message, strict)).ShouldStartWith("451 4.7.1 ");
        using var open = StepOf(new() { Address = nobody, WhenUnavailable = WhenUnavailable.Accept });
        (await mail.SendAsync(FilteredMail.Message, open)).ShouldStartWith("250 ");
        (await mail.EventsAsync<MessageReceived>()).ShouldHaveSingleItem().Verdicts.ShouldHaveSingleItem().Action.ShouldBe("unavailable");
    }

    [Fact]
    public async Task No_more_messages_are_checked_at_a_time_than_set()
    {
        var (one, two) = (await store.NewAccountAsync(), await store.NewAccountAsync());
        await using var rspamd = new RspamdServer(Answer("no action")) { Work = TimeSpan.FromMilliseconds(200) };
        using var step = StepOf(new() { Address = rspamd.Url, MaxConcurrent = 1 });
        var replies = await Task.WhenAll(one.SendAsync(FilteredMail.Message, step), two.SendAsync(FilteredMail.Message, step));
        replies.ShouldAllBe(reply => reply.StartsWith("250 ", StringComparison.Ordinal));
        rspamd.MostAtOnce.ShouldBe(1);
    }

    [Fact]
    public async Task An_answer_over_the_limit_is_none()
    {
        var mail = await store.NewAccountAsync();
        await using var rspamd = new RspamdServer(Answer("no action", "\"x\":\"" + new string('x', 1 << 20) + "\""));
        using var step = StepOf(new() { Address = rspamd.Url });
        (await mail.SendAsync(FilteredMail.Message, step)).ShouldStartWith("451 ");
    }

    [Fact]
    public async Task A_message_over_the_limit_is_not_checked()
    {
        var mail = await store.NewAccountAsync();
        await using var rspamd = new RspamdServer(Answer("reject"));
        using var step = StepOf(new() { Address = rspamd.Url, MaxSize = FilteredMail.Message.Length - 1 });
        (await mail.SendAsync(FilteredMail.Message, step)).ShouldStartWith("250 ");
        (await mail.EventsAsync<MessageReceived>()).ShouldHaveSingleItem().Verdicts.ShouldHaveSingleItem().Action.ShouldBe("unchecked");
        rspamd.Head.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_message_that_is_in_a_file_is_streamed_from_it()
    {
        var mail = await store.NewAccountAsync();
        await using var rspamd = new RspamdServer(Answer("no action"));
        using var step = StepOf(new() { Address = rspamd.Url });
        var large = MilterTests.Large(3_000_000);
        (await mail.SendAsync(large, step)).ShouldStartWith("250 ");
        rspamd.Body.Length.ShouldBe(large.Length);
        rspamd.Body.ShouldEndWith(large[^1000..]);
    }

    [Fact]
    public async Task Steps_that_need_not_see_each_other_look_at_the_same_time()
    {
        var mail = await store.NewAccountAsync();
        var met = new Barrier();
        (await mail.SendAsync(FilteredMail.Message, new Waiting(met), new Waiting(met))).ShouldStartWith("250 ");
    }

    private static RspamdStep StepOf(RspamdOptions options) => new(options, NullLogger.Instance);

    private static string Answer(string action, string more = "") =>
        $"{{\"action\":{JsonSerializer.Serialize(action)},\"score\":7,\"required_score\":15,\"symbols\":{{}}{(more.Length > 0 ? "," + more : "")}}}";

    private sealed class Barrier
    {
        private readonly TaskCompletionSource _both = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _here;

        public Task MeetAsync()
        {
            if (Interlocked.Increment(ref _here) == 2)
                _both.SetResult();
            return _both.Task.WaitAsync(Testing.Waiting.Limit);
        }
    }

    // Ends when another of its kind is at work, too.
    private sealed class Waiting(Barrier barrier) : IReceptionStep
    {
        public async ValueTask<StepResult> RunAsync(ReceivedMessage message, CancellationToken cancel)
        {
            await barrier.MeetAsync();
            return StepResult.Accepted;
        }
    }
}
