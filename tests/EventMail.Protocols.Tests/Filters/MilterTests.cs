using EventMail.Domain.Mailboxes;
using EventMail.Domain.Reception;
using EventMail.Protocols.Filters;
using EventMail.Protocols.Filters.Milter;
using static EventMail.Protocols.Tests.Filters.ScriptedMilter;

namespace EventMail.Protocols.Tests.Filters;

/// <summary>The dialogue with milters and what becomes of a message by their last word.</summary>
public sealed class MilterTests(FilterStore store) : IClassFixture<FilterStore>
{
    [Fact]
    public async Task A_milter_is_told_the_message_step_by_step_with_its_macros()
    {
        var mail = await store.NewAccountAsync();
        var milter = new ScriptedMilter();
        (await mail.SendAsync(FilteredMail.Message, milter.Step(mail.Spool))).ShouldStartWith("250 2.0.0 ");

        await milter.Ended;
        var (to, id) = (mail.Account.Address, milter.Told.First(packet => packet.StartsWith("DMi|", StringComparison.Ordinal))[4..].Split('|')[0]);
        milter.Told.ShouldBe(
        [
            "O",
            "DCj|mx.example.org|_|[192.0.2.1]|{client_addr}|192.0.2.1|{client_name}|[192.0.2.1]|{daemon_name}|smtp|v|EventMail|",
            "C[192.0.2.1]|4\u009c\u0040192.0.2.1|",
            "Hclient.example.com|",
            $"DMi|{id}|{{mail_addr}}|sender@example.com|{{mail_host}}|example.com|",
            "M<sender@example.com>|",
            $"DR{{rcpt_addr}}|{to}|{{rcpt_host}}|{to[(to.IndexOf('@') + 1)..]}|{{rcpt_mailer}}|local|",
            $"R<{to}>|",
            $"DTi|{id}|",
            "T",
            "LFrom|A <a@example.com>|",
            "LSubject|one\n two|",
            "LMessage-ID|<1@example.com>|",
            $"DNi|{id}|",
            "N",
            "Bbody\r\n",
            $"DEi|{id}|",
            "E",
            "Q",
        ]);
        (await mail.EventsAsync<MessageReceived>()).ShouldHaveSingleItem().Verdicts.ShouldBe([new FilterVerdict("inet:127.0.0.1:1", "accept")]);
        (await mail.StoredFieldsAsync()).ShouldBe(FilteredMail.Message);
    }

    [Theory]
    [MemberData(nameof(ScriptedMilter.EachStep), MemberType = typeof(ScriptedMilter))]
    public async Task At_every_step_its_word_is_the_last_one(char step)
    {
        var mail = await store.NewAccountAsync();
        // Before there is a message it is the recipient that is refused.
        var refusal = "CHMR".Contains(step) ? "550 5.7.1 Mail for this recipient was refused" : "550 5.7.1 The message was refused as spam or harmful";
        (await SendAsync('r')).ShouldBe(refusal);
        (await SendAsync('t')).ShouldBe("451 4.7.1 Try again later");
        (await SendAsync('4')).ShouldBe("451 4.7.1 Try again later");
        (await SendAsync('y', "554 5.7.7 100%% sure")).ShouldBe("554 5.7.7 100% sure");
        (await SendAsync('y', "550-5.7.1 one\r\n550 5.7.1 two")).ShouldBe("550 5.7.1 one two");
        (await SendAsync('y', "452 later")).ShouldBe("452 4.7.1 later");
        var refused = await mail.EventsAsync<MessageRefused>();
        refused.Select(e => e.Reply).ShouldBe([refusal, "554 5.7.7 100% sure", "550 5.7.1 one two"]);
        refused[0].By.ShouldBe("milter");
        refused[0].Verdicts.ShouldBe([new FilterVerdict("inet:127.0.0.1:1", "reject")]);
        (await mail.EventsAsync<MessageReceived>()).ShouldBeEmpty();

        (await SendAsync('d')).ShouldStartWith("250 2.0.0 ");
        (await mail.EventsAsync<MessageReceived>()).ShouldBeEmpty();
        (await mail.EventsAsync<MessageDiscarded>()).ShouldHaveSingleItem().MessageId.ShouldBe("1@example.com");

        (await SendAsync('a')).ShouldStartWith("250 2.0.0 ");
        (await mail.StoredFieldsAsync()).ShouldBe(FilteredMail.Message);
        await mail.Mail.ShouldBeWhatTheLogSaysAsync();

        Task<string> SendAsync(char reply, params object[] data) => mail.SendAsync(
            FilteredMail.Message, new ScriptedMilter { Answer = command => command == step ? Packet(reply, data) : null }.Step(mail.Spool));
    }

    [Theory]
    [InlineData("200 2.0.0 fine")]
    [InlineData("abc")]
    [InlineData("")]
    public async Task A_reply_that_is_no_refusal_is_none(string reply)
    {
        var mail = await store.NewAccountAsync();
        var milter = new ScriptedMilter { Answer = command => command == 'M' ? Packet('y', reply) : null };
        (await mail.SendAsync(FilteredMail.Message, milter.Step(mail.Spool))).ShouldBe(FilterReplies.Unavailable.Line);
    }

    [Fact]
    public async Task Quarantine_is_Spam()
    {
        var mail = await store.NewAccountAsync();
        var milter = new ScriptedMilter { Answer = command => command == 'E' ? [.. Packet('q', "a virus"), .. Continue] : null };
        (await mail.SendAsync(FilteredMail.Message, milter.Step(mail.Spool))).ShouldStartWith("250 2.0.0 ");
        (await mail.StoredFieldsAsync("Spam")).ShouldBe(FilteredMail.Message);
        (await mail.EventsAsync<MessageReceived>()).ShouldHaveSingleItem().Verdicts.ShouldBe([new FilterVerdict("inet:127.0.0.1:1", "quarantine")]);
    }

    [Fact]
    public async Task Steps_that_it_does_not_want_are_left_out()
    {
        var mail = await store.NewAccountAsync();
        var milter = new ScriptedMilter
        {
            Steps = MilterSteps.NoConnect | MilterSteps.NoHelo | MilterSteps.NoMail | MilterSteps.NoRcpt | MilterSteps.NoData | MilterSteps.NoHeaders
                | MilterSteps.NoEndOfHeaders | MilterSteps.NoBody | MilterSteps.NoUnknown,
        };
        (await mail.SendAsync(FilteredMail.Message, milter.Step(mail.Spool))).ShouldStartWith("250 2.0.0 ");
        await milter.Ended;
        milter.Told.Where(packet => packet[0] != 'D').ShouldBe(["O", "E", "Q"]);
    }

    [Fact]
    public async Task Steps_that_it_does_not_answer_are_not_waited_for()
    {
        var mail = await store.NewAccountAsync();
        var milter = new ScriptedMilter
        {
            Steps = MilterSteps.NoReplyToConnect | MilterSteps.NoReplyToHelo | MilterSteps.NoReplyToMail | MilterSteps.NoReplyToRcpt | MilterSteps.NoReplyToData
                | MilterSteps.NoReplyToHeader | MilterSteps.NoReplyToEndOfHeaders | MilterSteps.NoReplyToBody,
        };
        (await mail.SendAsync(FilteredMail.Message, milter.Step(mail.Spool))).ShouldStartWith("250 2.0.0 ");
        await milter.Ended;
        string.Concat(milter.Told.Where(packet => packet[0] != 'D').Select(packet => packet[0])).ShouldBe("OCHMRTLLLNBEQ");
    }

    [Fact]
    public async Task With_LEADSPC_a_value_has_what_stands_behind_the_colon()
    {
        var mail = await store.NewAccountAsync();
        var milter = new ScriptedMilter
        {
            Steps = MilterSteps.LeadingSpace,
            Answer = command => command == 'E' ? [.. Packet('h', "X-Tight", "a"), .. Packet('h', "X-Loose", "  b"), .. Continue] : null,
        };
        (await mail.SendAsync("Subject:tight\r\nTo:  loose\r\n\r\n", milter.Step(mail.Spool))).ShouldStartWith("250 2.0.0 ");
        milter.Told.ShouldContain("LSubject|tight|");
        milter.Told.ShouldContain("LTo|  loose|");
        (await mail.StoredFieldsAsync()).ShouldBe("Subject:tight\r\nTo:  loose\r\nX-Tight:a\r\nX-Loose:  b\r\n\r\n");
    }

    [Fact]
    public async Task Of_a_body_that_it_skips_it_gets_no_more()
    {
        var mail = await store.NewAccountAsync();
        var milter = new ScriptedMilter { Steps = MilterSteps.Skip, Answer = command => command == 'B' ? Packet('s') : null };
        (await mail.SendAsync(Large(400_000), milter.Step(mail.Spool))).ShouldStartWith("250 2.0.0 ");
        milter.Told.Count(packet => packet[0] == 'B').ShouldBe(1);
    }

    [Theory]
    [InlineData(400_000)]
    [InlineData(3_000_000)]
    public async Task A_body_comes_in_pieces_of_less_than_64_KiB(int size)
    {
        var mail = await store.NewAccountAsync();
        var milter = new ScriptedMilter { Steps = MilterSteps.NoReplyToBody };
        (await mail.SendAsync(Large(size), milter.Step(mail.Spool))).ShouldStartWith("250 2.0.0 ");
        milter.Longest.ShouldBeLessThanOrEqualTo(65_536);
        string.Concat(milter.Told.Where(packet => packet[0] == 'B').Select(packet => packet[1..])).ShouldBe(Large(size)[Large(0).Length..]);
    }

    [Fact]
    public async Task Milters_follow_each_other_and_a_refusal_ends_it()
    {
        var mail = await store.NewAccountAsync();
        var first = new ScriptedMilter { Answer = command => command == 'E' ? [.. Packet('h', "X-First", "yes"), .. Continue] : null };
        var second = new ScriptedMilter { Answer = command => command == 'E' ? Packet('r') : null };
        var third = new ScriptedMilter();
        (await mail.SendAsync(FilteredMail.Message, first.Step(mail.Spool), second.Step(mail.Spool), third.Step(mail.Spool))).ShouldStartWith("550 5.7.1 ");
        second.Told.ShouldContain("LX-First|yes|");
        third.Told.ShouldNotContain(told => told[0] == 'E');
        (await mail.EventsAsync<MessageRefused>()).ShouldHaveSingleItem().Verdicts!.Select(verdict => verdict.Action).ShouldBe(["accept", "reject"]);
    }

    [Theory]
    [InlineData("inet:127.0.0.1:7357", true)]
    [InlineData("inet:[::1]:7357", true)]
    [InlineData("inet:milter.example:7357", true)]
    [InlineData("unix:/run/milter.sock", true)]
    [InlineData("inet:7357@127.0.0.1", false)]
    [InlineData("inet:127.0.0.1", false)]
    [InlineData("inet:127.0.0.1:0", false)]
    [InlineData("inet::25", false)]
    [InlineData("unix:run/milter.sock", false)]
    [InlineData("127.0.0.1:7357", false)]
    public void An_address_says_how_and_where(string text, bool isOne) => MilterAddress.TryParse(text, out _).ShouldBe(isOne);

    internal static string Large(int size) => "Subject: large\r\n\r\n" + string.Concat(Enumerable.Repeat(new string('x', 70) + "\r\n", size / 72));
}
