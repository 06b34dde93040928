using System.Net.Sockets;
using EventMail.Domain.Mailboxes;
using EventMail.Domain.Reception;
using EventMail.Protocols.Filters;
using EventMail.Protocols.Filters.Milter;
using Microsoft.Extensions.Logging.Abstractions;
using static EventMail.Protocols.Tests.Filters.ScriptedMilter;

namespace EventMail.Protocols.Tests.Filters;

/// <summary>Milters that do wrong: the message is put off or let in as it came, as set, never half edited.</summary>
public sealed class MilterFaultTests(FilterStore store) : IClassFixture<FilterStore>
{
    private static readonly MilterOptions Impatient = new()
    {
        ReplyTimeout = TimeSpan.FromMilliseconds(300),
        MessageTimeout = TimeSpan.FromMilliseconds(600),
        MaxPacket = 100_000,
        MaxEdits = 3,
        MaxBody = 50_000,
    };

    public static TheoryData<string> Faults => [.. All.Keys];

    private static Dictionary<string, Func<ScriptedMilter>> All { get; } = new()
    {
        ["silence at once"] = () => new() { Negotiation = [] },
        ["silence later"] = () => new() { Answer = command => command == 'M' ? [] : null },
        ["silence at the end"] = () => new() { Answer = command => command == 'E' ? [] : null },
        ["hangs up at once"] = () => new() { HangsUpAt = 'O' },
        ["hangs up in the body"] = () => new() { HangsUpAt = 'B' },
        ["hangs up in the middle of an edit"] = () => new() { Answer = command => command == 'E' ? Packet('h', "X-Half", "half")[..9] : null },
        ["no negotiation"] = () => new() { Negotiation = Continue },
        ["a negotiation cut short"] = () => new() { Negotiation = Packet('O', 6u, 0u) },
        ["an old version"] = () => new() { Version = 1 },
        ["a new version"] = () => new() { Version = 7 },
        ["steps of its own"] = () => new() { Steps = (MilterSteps)0x4000_0000 },
        ["garbage"] = () => new() { Answer = _ => "HTTP/1.1 400 Bad Request\r\n"u8.ToArray() },
        ["an unknown answer"] = () => new() { Answer = command => command == 'H' ? Packet('Z') : null },
        ["an empty packet"] = () => new() { Answer = command => command == 'H' ? [0, 0, 0, 0] : null },
        ["a packet too long"] = () => new() { Answer = command => command == 'E' ? Packet('h', "X-Long", new string('x', 100_000)) : null },
        ["a failure of its own"] = () => new() { Answer = command => command == 'H' ? Packet('f') : null },
        ["an edit before the end"] = () => new() { Answer = command => command == 'H' ? Packet('h', "X", "y") : null },
        ["a skip that was not agreed on"] = () => new() { Answer = command => command == 'B' ? Packet('s') : null },
        ["an edit that it did not ask for"] = () => new() { Actions = MilterActions.AddHeaders, Answer = AtEnd(Packet('m', 1u, "Subject", "x")) },
        ["another recipient"] = () => new() { Actions = MilterActions.AddRecipients, Answer = AtEnd(Packet('+', "<x@example.org>")) },
        ["another sender"] = () => new() { Answer = AtEnd(Packet('e', "<x@example.org>")) },
        ["a field without a name"] = () => new() { Answer = AtEnd(Packet('h', "", "x")) },
        ["a field with a line end in its name"] = () => new() { Answer = AtEnd(Packet('h', "X\r\nY", "x")) },
        ["a field without end"] = () => new() { Answer = AtEnd([0, 0, 0, 2, (byte)'h', (byte)'X']) },
        ["a place without its number"] = () => new() { Answer = AtEnd([0, 0, 0, 2, (byte)'i', 0]) },
        ["too many edits"] = () => new() { Answer = AtEnd([.. Enumerable.Repeat(Packet('h', "X", "y"), 4).SelectMany(packet => packet)]) },
        ["too long a body"] = () => new() { Answer = AtEnd([.. Packet('b', new string('x', 30_000)), .. Packet('b', new string('x', 30_000))]) },
        ["progress for ever"] = () => new() { Answer = command => command == 'E' ? [.. Enumerable.Repeat(Packet('p'), 1000).SelectMany(packet => packet)] : null },
    };

    [Theory, MemberData(nameof(Faults))]
    public async Task A_fault_puts_the_message_off_or_lets_it_in_as_it_came(string fault)
    {
        var mail = await store.NewAccountAsync();
        (await mail.SendAsync(FilteredMail.Message, All[fault]().Step(mail.Spool, Impatient))).ShouldBe("451 4.7.1 The message could not be checked, try again later");
        (await mail.EventsAsync<MessageReceived>()).ShouldBeEmpty();
        (await mail.EventsAsync<MessageRefused>()).ShouldBeEmpty();

        var open = Impatient with { WhenUnavailable = WhenUnavailable.Accept };
        (await mail.SendAsync(FilteredMail.Message, All[fault]().Step(mail.Spool, open))).ShouldStartWith("250 2.0.0 ");
        (await mail.StoredFieldsAsync()).ShouldBe(FilteredMail.Message);
        (await mail.EventsAsync<MessageReceived>()).ShouldHaveSingleItem().Verdicts.ShouldBe([new FilterVerdict("inet:127.0.0.1:1", "unavailable")]);
        mail.Spool.Rented.ShouldBe(0);
    }

    [Theory]
    [MemberData(nameof(ScriptedMilter.EachStep), MemberType = typeof(ScriptedMilter))]
    public async Task At_every_step_who_is_silent_talks_nonsense_or_hangs_up_was_not_asked(char step)
    {
        var mail = await store.NewAccountAsync();
        var options = new MilterOptions { ReplyTimeout = TimeSpan.FromMilliseconds(150), MessageTimeout = TimeSpan.FromMilliseconds(400) };
        foreach (var milter in new ScriptedMilter[]
        {
            new() { Answer = command => command == step ? [] : null },
            new() { Answer = command => command == step ? "220 mx ESMTP\r\n"u8.ToArray() : null },
            new() { Answer = command => command == step ? Packet('c')[..3] : null, HangsUpAt = step },
        })
            (await mail.SendAsync(FilteredMail.Message, milter.Step(mail.Spool, options))).ShouldBe(FilterReplies.Unavailable.Line);
        (await mail.EventsAsync<MessageReceived>()).ShouldBeEmpty();
        mail.Spool.Rented.ShouldBe(0);
    }

    [Fact]
    public async Task Where_nobody_listens_the_message_is_put_off()
    {
        var mail = await store.NewAccountAsync();
        MilterAddress.TryParse($"unix:{mail.Mail.Folder}/nobody.sock", out var address).ShouldBeTrue();
        (await mail.SendAsync(FilteredMail.Message, new MilterStep(address, mail.Spool, new(), null, NullLogger.Instance))).ShouldBe(FilterReplies.Unavailable.Line);
    }

    [Fact]
    public async Task Who_never_takes_the_connection_costs_its_time_only()
    {
        var mail = await store.NewAccountAsync();
        var nobody = new MilterPeer(
            "inet:192.0.2.9:1", async cancel =>
            {
                await Task.Delay(Timeout.Infinite, cancel);
                throw new SocketException();
            },
            names: null);
        var step = new MilterStep(
            nobody, mail.Spool, new() { ConnectTimeout = TimeSpan.FromMilliseconds(100) }, NullLogger.Instance);
        (await mail.SendAsync(FilteredMail.Message, step)).ShouldBe(FilterReplies.Unavailable.Line);
    }

    [Fact]
    public async Task A_milter_at_work_has_the_time_of_the_message_at_its_end()
    {
        var mail = await store.NewAccountAsync();
        // Any other reply has to come within its own time on a busy machine, too.
        var reply = TimeSpan.FromSeconds(4);
        var milter = new ScriptedMilter { WorkAtEnd = reply + TimeSpan.FromSeconds(1) };
        var options = Impatient with { ReplyTimeout = reply, MessageTimeout = Testing.Waiting.Limit };
        (await mail.SendAsync(FilteredMail.Message, milter.Step(mail.Spool, options))).ShouldStartWith("250 2.0.0 ");
    }

    private static Func<char, byte[]?> AtEnd(byte[] packets) => command => command == 'E' ? [.. packets, .. Continue] : null;
}
