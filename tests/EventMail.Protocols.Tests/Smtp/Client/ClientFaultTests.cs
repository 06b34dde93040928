using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using EventMail.Protocols.Smtp.Client;
using EventMail.Testing;

namespace EventMail.Protocols.Tests.Smtp.Client;

/// <summary>Hosts that refuse, vanish, are silent or speak nonsense, at every stage.</summary>
public sealed class ClientFaultTests
{
    // The command at which it happens, and the stage's name.
    private static readonly (string Command, string Stage)[] Stages =
    [
        ("CONNECT", "greeting"), ("EHLO", "ehlo"), ("MAIL", "mail"), ("RCPT", "rcpt"), ("DATA", "data"), (".", "final"),
    ];

    private static readonly string[] Garbage =
    [
        "Hello there", "99", "25", "150 Not yet", "650 Never", "2500 Too much", "250_Ok", "\u0000\u0001\u0002\u0003", "",
        "250-first\r\n550 second", "250 " + new string('x', 5000), Repeat("250-line\r\n", 201) + "250 end", "250-" + Repeat(new string('y', 400) + "\r\n250-", 190) + "\r\n250 end",
    ];

    // Below every other time-out, and above what a machine that is busy makes of a short one.
    private static readonly TimeSpan Far = ClientTesting.Patient.Command / 2;

    private static string Repeat(string text, int times) => string.Concat(Enumerable.Repeat(text, times));

    public static TheoryData<string, string, bool> EveryStage()
    {
        var data = new TheoryData<string, string, bool>();
        foreach (var (command, stage) in Stages)
        {
            data.Add(command, stage, true);
            data.Add(command, stage, false);
        }

        return data;
    }

    public static TheoryData<string, string, int> EveryStageWithGarbage()
    {
        var data = new TheoryData<string, string, int>();
        foreach (var (command, stage) in Stages)
        {
            for (var i = 0; i < Garbage.Length; i++)
            {
                data.Add(command, stage, i);
            }
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(EveryStage))]
    public async Task A_temporary_refusal_is_one_at_every_stage(string command, string stage, bool pipelining)
    {
        var result = await TryAsync(command, "451 4.3.2 Not now", pipelining);
        result.ShouldBe(new(SendOutcome.Deferred, 451, "4.3.2", "Not now", stage));
    }

    [Theory]
    [MemberData(nameof(EveryStage))]
    public async Task A_permanent_refusal_is_one_at_every_stage(string command, string stage, bool pipelining)
    {
        var result = await TryAsync(command, "554 5.7.1 Never", pipelining);
        result.ShouldBe(new(SendOutcome.Failed, 554, "5.7.1", "Never", stage));
    }

    [Theory]
    [MemberData(nameof(EveryStage))]
    public async Task A_421_is_temporary_at_every_stage_and_ends_the_connection(string command, string stage, bool pipelining)
    {
        var result = await TryAsync(command, "421 4.3.2 Going down" + ScriptedPeer.Close, pipelining);
        result.ShouldBe(new(SendOutcome.Deferred, 421, "4.3.2", "Going down", stage));
    }

    [Theory]
    [MemberData(nameof(EveryStage))]
    public async Task A_lost_connection_is_unknown_only_behind_the_end_of_the_message(string command, string stage, bool pipelining)
    {
        var result = await TryAsync(command, ScriptedPeer.Close, pipelining);
        result.Outcome.ShouldBe(stage == "final" ? SendOutcome.Unknown : SendOutcome.Deferred);
        (result.Code, result.Enhanced, result.Stage).ShouldBe((0, "4.4.2", stage));
    }

    [Theory]
    [MemberData(nameof(EveryStage))]
    public async Task A_host_that_never_answers_costs_its_time_out_and_no_more(string command, string stage, bool pipelining)
    {
        var watch = Stopwatch.StartNew();
        var result = await TryAsync(command, ScriptedPeer.Silence, pipelining, Impatient(stage));
        watch.Elapsed.ShouldBeLessThan(Far);
        result.Outcome.ShouldBe(stage == "final" ? SendOutcome.Unknown : SendOutcome.Deferred);
        (result.Code, result.Enhanced, result.Stage).ShouldBe((0, "4.4.2", stage));
        result.Text.ShouldStartWith("No reply within");
    }

    [Theory]
    [MemberData(nameof(EveryStageWithGarbage))]
    public async Task Garbage_is_no_reply_at_every_stage(string command, string stage, int garbage)
    {
        var result = await TryAsync(command, Garbage[garbage] + "\r\n", pipelining: true);
        result.Outcome.ShouldBe(stage == "final" ? SendOutcome.Unknown : SendOutcome.Deferred);
        (result.Code, result.Enhanced, result.Stage).ShouldBe((0, "4.5.0", stage));
        result.Text.Length.ShouldBeLessThan(200);
        result.Text.ShouldAllBe(c => c >= ' ' && c < 127);
    }

    [Theory]
    [InlineData("MAIL", "354 Go on")]
    [InlineData("RCPT", "334 Go on")]
    [InlineData("DATA", "250 Ok")]
    [InlineData("DATA", "334 Go on")]
    public async Task A_reply_out_of_place_ends_the_connection_before_anything_is_taken(string command, string reply)
    {
        var result = await TryAsync(command, reply, pipelining: true);
        (result.Outcome, result.Enhanced).ShouldBe((SendOutcome.Deferred, "4.5.0"));
    }

    [Fact]
    public async Task A_354_to_the_end_of_the_message_is_no_delivery()
    {
        (await TryAsync(".", "354 Go on", pipelining: true)).Outcome.ShouldBe(SendOutcome.Unknown);
    }

    [Fact]
    public async Task A_250_ahead_of_the_end_of_the_message_is_no_delivery()
    {
        // Would be taken for the reply to the final dot.
        await using var peer = new ScriptedPeer("PIPELINING") { Answer = command => command == "DATA" ? "354 Go on\r\n250 2.0.0 Taken" : null };
        await using var client = await ClientTesting.ConnectAsync(peer.Host);
        var result = (await client.SendAsync(ClientTesting.Small())).Only();
        (result.Outcome, result.Stage, result.Enhanced).ShouldBe((SendOutcome.Deferred, "data", "4.5.0"));
        client.CanReuse.ShouldBeFalse();
        peer.Messages.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_refusal_in_the_middle_of_a_message_is_heard()
    {
        await using var peer = new ScriptedPeer("PIPELINING") { Answer = command => command == "DATA" ? "354 Go on\r\n552 5.3.4 Too big" : null };
        await using var client = await ClientTesting.ConnectAsync(peer.Host);
        var result = (await client.SendAsync(ClientTesting.Message(new string('x', 500_000)))).Only();
        result.ShouldBe(new(SendOutcome.Failed, 552, "5.3.4", "Too big", "data"));
        client.CanReuse.ShouldBeFalse();
    }

    [Fact]
    public async Task A_connection_that_drops_in_DATA_has_delivered_nothing()
    {
        await using var peer = new ScriptedPeer("PIPELINING") { Answer = command => command == "DATA" ? "354 Go on" + ScriptedPeer.Close : null };
        await using var client = await ClientTesting.ConnectAsync(peer.Host);
        var message = ClientTesting.Message(new byte[2_000_000]) with { Content = _ => SlowlyAsync(2_000_000) };
        (await client.SendAsync(message)).Only().ShouldSatisfyAllConditions(
            result => result.Outcome.ShouldBe(SendOutcome.Deferred), result => result.Stage.ShouldBe("data"));
    }

    private static async IAsyncEnumerable<ReadOnlyMemory<byte>> SlowlyAsync(int size)
    {
        for (var at = 0; at < size; at += 100_000)
        {
            await Task.Delay(20);
            yield return new byte[100_000];
        }
    }

    [Fact]
    public async Task A_host_that_takes_the_message_octet_by_octet_is_given_up()
    {
        using var listener = new StalledPeer();
        await using var client = await ClientTesting.ConnectAsync(
            listener.Host, ClientTesting.Options with { Timeouts = ClientTesting.Patient with { DataBlock = ClientTesting.Soon } });
        var result = (await client.SendAsync(ClientTesting.Message(new byte[50_000_000]))).Only();
        (result.Outcome, result.Stage, result.Enhanced).ShouldBe((SendOutcome.Deferred, "data", "4.4.2"));
    }

    [Theory]
    [InlineData("PIPELINING")]
    [InlineData("8BITMIME")]
    public async Task A_host_that_takes_its_time_for_each_recipient_gets_no_more_than_that_of_a_transaction(string extension)
    {
        await using var peer = new ScriptedPeer(extension) { Answer = command => command.StartsWith("RCPT", StringComparison.Ordinal) ? Late("250 Ok", 10) : null };
        await using var client = await ClientTesting.ConnectAsync(
            peer.Host, ClientTesting.Options with { Timeouts = ClientTesting.Patient with { Transaction = ClientTesting.Soon } });
        var watch = Stopwatch.StartNew();
        var result = await client.SendAsync(ClientTesting.Small([.. Enumerable.Range(0, 100).Select(i => $"r{i}@example.com")]));
        watch.Elapsed.ShouldBeLessThan(Far);
        result.Recipients.ShouldAllBe(recipient => recipient.Outcome == SendOutcome.Deferred && recipient.Enhanced == "4.4.2");
        result.Recipients[0].Text.ShouldBe("The transaction took too long");
        peer.Messages.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_host_that_takes_the_message_slowly_gets_no_more_than_the_time_of_a_transaction()
    {
        using var listener = new StalledPeer();
        await using var client = await ClientTesting.ConnectAsync(
            listener.Host, ClientTesting.Options with { Timeouts = ClientTesting.Patient with { Transaction = ClientTesting.Soon } });
        var result = (await client.SendAsync(ClientTesting.Message(new byte[50_000_000]))).Only();
        (result.Outcome, result.Stage, result.Text).ShouldBe((SendOutcome.Deferred, "data", "The transaction took too long"));
    }

    [Fact]
    public async Task The_reply_to_the_end_of_the_message_is_waited_for_beyond_the_time_of_the_transaction()
    {
        var (transaction, messages) = (TimeSpan.FromSeconds(5), 0);
        await using var peer = new ScriptedPeer("PIPELINING") { Answer = command => command == "." && ++messages == 1 ? Late("250 Ok", 60) : null };
        await using var client = await ClientTesting.ConnectAsync(
            peer.Host, ClientTesting.Options with { Timeouts = ClientTesting.Patient with { Transaction = transaction } });
        (await client.SendAsync(ClientTesting.Small())).Only().Outcome.ShouldBe(SendOutcome.Delivered);
        (await client.SendAsync(ClientTesting.Small())).Only().Outcome.ShouldBe(SendOutcome.Delivered, "the next one has its own time");
    }

    private static string Late(string answer, int tenths)
    {
        Task.Delay(tenths * 100).Wait();
        return answer;
    }

    [Fact]
    public async Task A_reply_that_drips_gets_no_more_time_than_one_that_does_not_come()
    {
        using var listener = new DrippingPeer();
        var watch = Stopwatch.StartNew();
        var fault = await ClientTesting.FailAsync(listener.Host, ClientTesting.Options with { Timeouts = Impatient("greeting") });
        watch.Elapsed.ShouldBeLessThan(Far);
        (fault.Stage, fault.Code, fault.Enhanced, fault.Permanent).ShouldBe(("greeting", 0, "4.4.2", false));
    }

    [Fact]
    public async Task Nobody_listening_is_a_fault_to_try_again()
    {
        var fault = await ClientTesting.FailAsync(new("localhost", new(IPAddress.Loopback, TestPort.Free())));
        (fault.Stage, fault.Code, fault.Enhanced, fault.Permanent).ShouldBe(("connect", 0, "4.4.1", false));
    }

    [Fact]
    public async Task HELO_follows_an_EHLO_that_is_not_understood()
    {
        await using var peer = new ScriptedPeer { Answer = command => command.StartsWith("EHLO", StringComparison.Ordinal) ? "502 What" : null };
        await using var client = await ClientTesting.ConnectAsync(peer.Host);
        client.Extensions.ShouldBe(PeerExtensions.None);
        (await client.SendAsync(ClientTesting.Small())).Only().Outcome.ShouldBe(SendOutcome.Delivered);
        peer.Commands[1].ShouldBe("HELO client.example.org");
    }

    [Fact]
    public async Task A_bare_LF_ends_a_reply_line_too()
    {
        await using var peer = new ScriptedPeer("PIPELINING") { Answer = command => command == "." ? "250-2.0.0 Taken\n250 2.0.0 as 17\n" : null };
        await using var client = await ClientTesting.ConnectAsync(peer.Host);
        (await client.SendAsync(ClientTesting.Small())).Only().Text.ShouldBe("Taken as 17");
    }

    [Theory]
    [InlineData("421 4.4.2 Idle too long" + ScriptedPeer.Close)]
    [InlineData(ScriptedPeer.Close)]
    public async Task A_reused_connection_that_was_gone_is_no_verdict(string farewell)
    {
        var mails = 0;
        await using var peer = new ScriptedPeer("PIPELINING")
        {
            Answer = command => command.StartsWith("MAIL", StringComparison.Ordinal) && ++mails == 2 ? farewell : null,
        };
        await using var client = await ClientTesting.ConnectAsync(peer.Host);
        (await client.SendAsync(ClientTesting.Small())).Only().Outcome.ShouldBe(SendOutcome.Delivered);
        (await client.SendAsync(ClientTesting.Small())).Only().Outcome.ShouldBe(SendOutcome.NotTried);
        client.CanReuse.ShouldBeFalse();
    }

    [Fact]
    public async Task A_host_that_speaks_between_transactions_is_left()
    {
        await using var peer = new ScriptedPeer("PIPELINING") { Answer = command => command == "." ? "250 2.0.0 Taken\r\n250 2.0.0 And the next one" : null };
        await using var client = await ClientTesting.ConnectAsync(peer.Host);
        (await client.SendAsync(ClientTesting.Small())).Only().Outcome.ShouldBe(SendOutcome.Delivered);
        (await client.SendAsync(ClientTesting.Small())).Only().Outcome.ShouldBe(SendOutcome.NotTried);
        peer.Messages.Count.ShouldBe(1);
    }

    [Fact]
    public async Task Replies_ahead_of_the_first_transaction_are_none()
    {
        await using var peer = new ScriptedPeer("PIPELINING")
        {
            Answer = command => command.StartsWith("EHLO", StringComparison.Ordinal) ? "250-peer\r\n250 PIPELINING\r\n250 Ok\r\n250 Ok\r\n354 Go on\r\n250 Taken" : null,
        };
        await using var client = await ClientTesting.ConnectAsync(peer.Host);
        var result = (await client.SendAsync(ClientTesting.Small())).Only();
        (result.Outcome, result.Enhanced).ShouldBe((SendOutcome.Deferred, "4.5.0"));
        peer.CommandsNamed("MAIL").ShouldBeEmpty();
    }

    [Fact]
    public async Task A_connection_has_so_many_transactions_and_no_more()
    {
        await using var peer = new ScriptedPeer("PIPELINING", "LIMITS MAILMAX=100");
        await using var client = await ClientTesting.ConnectAsync(peer.Host, ClientTesting.Options with { MaxTransactions = 2 });
        await client.SendAsync(ClientTesting.Small());
        client.CanReuse.ShouldBeTrue();
        await client.SendAsync(ClientTesting.Small());
        client.CanReuse.ShouldBeFalse();
        await Should.ThrowAsync<InvalidOperationException>(() => client.SendAsync(ClientTesting.Small()));
    }

    [Fact]
    public async Task A_host_that_does_not_answer_SYN_costs_its_time_out()
    {
        // A queue that is full: further connections are neither taken nor refused.
        using var full = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        full.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        full.Listen(0);
        using var first = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await first.ConnectAsync(full.LocalEndPoint!);
        var fault = await ClientTesting.FailAsync(
            new("localhost", (IPEndPoint)full.LocalEndPoint!), ClientTesting.Options with { Timeouts = ClientTesting.Patient with { Connect = ClientTesting.Soon } });
        (fault.Stage, fault.Enhanced).ShouldBe(("connect", "4.4.1"));
        fault.Text.ShouldContain("within");
    }

    [Fact]
    public async Task Cancelling_before_the_end_of_the_message_is_no_attempt_and_behind_it_unknown()
    {
        foreach (var (silent, outcome) in new[] { ("RCPT", SendOutcome.NotTried), (".", SendOutcome.Unknown) })
        {
            using var cancel = new CancellationTokenSource();
            await using var peer = new ScriptedPeer("PIPELINING")
            {
                Answer = command =>
                {
                    if (!command.StartsWith(silent, StringComparison.Ordinal))
                        return null;
                    cancel.CancelAfter(ClientTesting.Soon);
                    return ScriptedPeer.Silence;
                },
            };
            await using var client = await ClientTesting.ConnectAsync(peer.Host);
            (await client.SendAsync(ClientTesting.Small(), cancel.Token)).Only().Outcome.ShouldBe(outcome);
            client.CanReuse.ShouldBeFalse();
        }
    }

    [Fact]
    public async Task Cancelling_a_connect_throws()
    {
        await using var peer = new ScriptedPeer { Answer = _ => ScriptedPeer.Silence };
        using var cancel = new CancellationTokenSource(ClientTesting.Soon);
        await Should.ThrowAsync<OperationCanceledException>(() => SmtpClient.ConnectAsync(peer.Host, ClientTesting.Options, cancel.Token));
    }

    [Theory]
    [InlineData("PIPELINING")]
    [InlineData("CHUNKING")]
    public async Task A_message_that_cannot_be_read_to_its_end_never_gets_one(string extension)
    {
        await using var peer = new ScriptedPeer(extension);
        await using var client = await ClientTesting.ConnectAsync(peer.Host);
        await Should.ThrowAsync<EndOfStreamException>(() => client.SendAsync(ClientTesting.Small() with { Size = 100 }));
        client.CanReuse.ShouldBeFalse();
        await client.QuitAsync();
        peer.Commands.ShouldNotContain(".");
        peer.CommandsNamed("BDAT").ShouldBeEmpty();
    }

    private static ClientTimeouts Impatient(string stage) => stage switch
    {
        "greeting" => ClientTesting.Patient with { Greeting = ClientTesting.Soon },
        "ehlo" => ClientTesting.Patient with { Command = ClientTesting.Soon },
        "mail" => ClientTesting.Patient with { Mail = ClientTesting.Soon },
        "rcpt" => ClientTesting.Patient with { Rcpt = ClientTesting.Soon },
        "data" => ClientTesting.Patient with { DataInitiation = ClientTesting.Soon },
        _ => ClientTesting.Patient with { DataTermination = ClientTesting.Soon },
    };

    /// <summary>One transaction with a host that gives this answer at this command.</summary>
    private static async Task<RecipientResult> TryAsync(string at, string answer, bool pipelining, ClientTimeouts? timeouts = null)
    {
        await using var peer = new ScriptedPeer(pipelining ? ["PIPELINING"] : [])
        {
            Answer = command => command.StartsWith(at, StringComparison.Ordinal) || (at == "EHLO" && command.StartsWith("HELO", StringComparison.Ordinal)) ? answer : null,
        };
        var (client, fault) = await SmtpClient.ConnectAsync(
            peer.Host, ClientTesting.Options with { Timeouts = timeouts ?? ClientTesting.Patient }, CancellationToken.None);
        if (fault is not null)
        {
            return new(fault.Permanent ? SendOutcome.Failed : SendOutcome.Deferred, fault.Code, fault.Enhanced, fault.Text, fault.Stage);
        }

        await using var owned = client.ShouldNotBeNull();
        var result = (await owned.SendAsync(ClientTesting.Small())).Only();
        if (answer.StartsWith("421", StringComparison.Ordinal) || result.Code == 0)
        {
            owned.CanReuse.ShouldBeFalse();
        }

        return result;
    }

    /// <summary>Says 354 and reads no more.</summary>
    private sealed class StalledPeer : RawPeer
    {
        protected override async Task ServeAsync(Stream stream, CancellationToken cancel)
        {
            await SayAsync(stream, "220 peer\r\n", cancel);
            foreach (var reply in (string[])["250-peer\r\n250 PIPELINING\r\n", "250 Ok\r\n250 Ok\r\n354 Go on\r\n"])
            {
                await stream.ReadAtLeastAsync(new byte[1000], 1, cancellationToken: cancel);
                await SayAsync(stream, reply, cancel);
            }

            await Task.Delay(Timeout.Infinite, cancel);
        }
    }

    /// <summary>A greeting that never ends.</summary>
    private sealed class DrippingPeer : RawPeer
    {
        protected override async Task ServeAsync(Stream stream, CancellationToken cancel)
        {
            await SayAsync(stream, "220 ", cancel);
            while (true)
            {
                await SayAsync(stream, "x", cancel);
                await Task.Delay(50, cancel);
            }
        }
    }

    private abstract class RawPeer : IDisposable
    {
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
        private readonly CancellationTokenSource _stop = new();

        protected RawPeer()
        {
            _listener.Start();
            Serving = AcceptAsync();
        }

        public Task Serving { get; }

        public RemoteHost Host => new("localhost", (IPEndPoint)_listener.LocalEndpoint);

        protected abstract Task ServeAsync(Stream stream, CancellationToken cancel);

        protected static async Task SayAsync(Stream stream, string text, CancellationToken cancel) =>
            await stream.WriteAsync(System.Text.Encoding.ASCII.GetBytes(text), cancel);

        public void Dispose()
        {
            _stop.Cancel();
            _listener.Stop();
        }

        private async Task AcceptAsync()
        {
            try
            {
                using var client = await _listener.AcceptTcpClientAsync(_stop.Token);
                await ServeAsync(client.GetStream(), _stop.Token);
            }
            catch (Exception e) when (e is OperationCanceledException or IOException or SocketException)
            {
                // The client left, or the test is over.
            }
        }
    }
}
