using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using EventMail.Protocols.Dns;
using EventMail.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace EventMail.Protocols.Tests.Dns;

/// <summary>Servers that lie, garble, are silent or know less than they should (RFC 5452).</summary>
public sealed class HostileServerTests
{
    private static readonly byte[] Right = [192, 0, 2, 1];
    private static readonly byte[] Wrong = [192, 0, 2, 66];
    /// <summary>For what never comes.</summary>
    private static readonly TimeSpan Short = TimeSpan.FromMilliseconds(300);

    /// <summary>For what comes after something that never does: a machine that is busy may take seconds over it.</summary>
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(5);

    [Fact]
    public async Task An_answer_with_another_ID_is_passed_over()
    {
        await using var server = new ScriptedDnsServer(query => [Address(query, Wrong).Octets(changeId: 1), Address(query, Right).Octets()]);
        (await AskAsync(server)).ShouldBe(Right);
    }

    [Fact]
    public async Task An_answer_to_another_question_is_passed_over()
    {
        await using var server = new ScriptedDnsServer(query =>
        [
            Address(query, Wrong).Question("b.test", DnsType.A).Octets(), Address(query, Wrong).Question("a.test", DnsType.Aaaa).Octets(),
            Address(query, Right).Octets(),
        ]);
        (await AskAsync(server)).ShouldBe(Right);
    }

    [Fact]
    public async Task Garbage_a_query_and_an_empty_datagram_are_passed_over()
    {
        await using var server = new ScriptedDnsServer(query => [[], [1, 2, 3], query, Address(query, Right).Octets()]);
        (await AskAsync(server)).ShouldBe(Right);
    }

    [Fact]
    public async Task After_some_answers_to_something_else_the_question_goes_by_TCP()
    {
        await using var server = new ScriptedDnsServer(
            query => Enumerable.Range(1, 20).Select(id => Address(query, Wrong).Octets(changeId: id)), query => Address(query, Right).Octets());
        (await AskAsync(server)).ShouldBe(Right);
        server.TcpQueries.Count.ShouldBe(1);
    }

    [Fact]
    public async Task An_answer_that_lost_the_case_of_the_letters_is_asked_for_by_TCP()
    {
        await using var server = new ScriptedDnsServer(
            query => [Address(query, Wrong).Question("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.test", DnsType.A).Octets()],
            query => Address(query, Right).Octets());
        (await AskAsync(server, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.test")).ShouldBe(Right);
    }

    [Fact]
    public async Task Answers_of_another_sender_are_not_received()
    {
        using var stranger = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        stranger.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        await using var server = new ScriptedDnsServer(query => [Address(query, Wrong).Octets()]) { SendFrom = stranger };
        using var resolver = Resolver([server.EndPoint], new() { Timeout = Short, Attempts = 1 });
        (await QueryAsync(resolver)).Status.ShouldBe(DnsStatus.Failed);
    }

    [Fact]
    public async Task A_truncated_answer_is_asked_for_by_TCP()
    {
        await using var server = new ScriptedDnsServer(
            query => [Address(query, Wrong).Truncated().Octets()[..40]], query => Address(query, Right).Octets());
        (await AskAsync(server)).ShouldBe(Right);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Failing_TCP_is_a_failure_with_its_reason(int fault)
    {
        await using var server = new ScriptedDnsServer(
            query => [Address(query, Wrong).Truncated().Octets()],
            query => fault switch { 0 => null, 1 => Address(query, Wrong).Octets(changeId: 1), _ => Address(query, Wrong).Truncated().Octets() });
        using var resolver = Resolver([server.EndPoint]);
        var answer = await QueryAsync(resolver);
        answer.Status.ShouldBe(DnsStatus.Failed);
        answer.Detail!.ShouldContain($"{server.EndPoint}");
    }

    [Fact]
    public async Task A_malformed_answer_is_a_failure_and_the_next_server_is_asked()
    {
        await using var broken = new ScriptedDnsServer(query => [Address(query, Right).Octets()[..^2]]);
        await using var sound = new ScriptedDnsServer(query => [Address(query, Right).Octets()]);
        using var resolver = Resolver([broken.EndPoint, sound.EndPoint]);
        Octets(await QueryAsync(resolver)).ShouldBe(Right);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(5)]
    public async Task A_server_that_fails_or_refuses_is_asked_once_and_then_the_next(int code)
    {
        await using var failing = new ScriptedDnsServer(query => [Reply.To(query).Code(code).Edns().Octets()]);
        await using var sound = new ScriptedDnsServer(query => [Address(query, Right).Octets()]);
        using var both = Resolver([failing.EndPoint, sound.EndPoint]);
        Octets(await QueryAsync(both)).ShouldBe(Right);
        using var alone = Resolver([failing.EndPoint]);
        (await QueryAsync(alone)).Detail.ShouldBe($"{(code == 2 ? "SERVFAIL" : "REFUSED")} from {failing.EndPoint}");
        failing.Queries.Count.ShouldBe(2);
    }

    [Fact]
    public async Task A_silent_server_costs_one_time_out_and_is_asked_last_from_then_on()
    {
        await using var silent = new ScriptedDnsServer(_ => []);
        await using var sound = new ScriptedDnsServer(query => [Address(query, Right).Octets()]);
        using var resolver = Resolver([silent.EndPoint, sound.EndPoint], new() { Timeout = Long, Attempts = 1 });
        Octets(await QueryAsync(resolver)).ShouldBe(Right);
        Octets(await QueryAsync(resolver, "b.test")).ShouldBe(Right);
        silent.Queries.Count.ShouldBe(1);
    }

    [Fact]
    public async Task When_none_answers_each_is_asked_as_often_as_it_says_and_the_reason_is_told()
    {
        await using var silent = new ScriptedDnsServer(_ => []);
        using var resolver = Resolver([silent.EndPoint], new() { Timeout = Short, Attempts = 3 });
        var answer = await QueryAsync(resolver);
        (answer.Status, answer.Detail).ShouldBe((DnsStatus.Failed, $"no answer from {silent.EndPoint} in 0.3 s"));
        silent.Queries.Count.ShouldBe(3);
    }

    [Fact]
    public async Task A_port_where_nobody_listens_is_known_at_once()
    {
        using var resolver = Resolver([new(IPAddress.Loopback, 1)], new() { Timeout = TimeSpan.FromMinutes(10) });
        var began = Stopwatch.GetTimestamp();
        (await QueryAsync(resolver)).Status.ShouldBe(DnsStatus.Failed);
        Stopwatch.GetElapsedTime(began).ShouldBeLessThan(TimeSpan.FromMinutes(5));
    }

    [Fact]
    public async Task A_late_answer_is_nobodys()
    {
        byte[]? late = null;
        await using var server = new ScriptedDnsServer(query =>
        {
            if (late is not null)
                return [late, Address(query, Right).Octets()];
            late = Address(query, Wrong).Octets();
            return [];
        });
        using var resolver = Resolver([server.EndPoint], new() { Timeout = Long, Attempts = 2 });
        Octets(await QueryAsync(resolver)).ShouldBe(Right);
    }

    [Fact]
    public async Task Records_that_were_not_asked_for_are_not_believed()
    {
        await using var server = new ScriptedDnsServer(query =>
        [
            Reply.To(query).Answer("other.test", DnsType.A, 60, Wrong).Alias("other.test", "a.test").Answer("a.test", DnsType.A, 60, Right)
                .Additional("a.test", DnsType.A, 60, Wrong).Additional("bank.test", DnsType.A, 60, Wrong).Octets(),
        ]);
        using var resolver = Resolver([server.EndPoint]);
        var answer = await QueryAsync(resolver);
        answer.Of<AddressRecord>().ShouldHaveSingleItem().Address.GetAddressBytes().ShouldBe(Right);
        // Nothing of it is remembered, either.
        await QueryAsync(resolver, "bank.test");
        server.Queries.Count.ShouldBe(2);
    }

    [Fact]
    public async Task A_server_that_does_not_know_EDNS_is_asked_without()
    {
        await using var server = new ScriptedDnsServer(query => [Reply.HasEdns(query) ? Reply.To(query).Code(1).Octets() : Address(query, Right).Octets()]);
        (await AskAsync(server)).ShouldBe(Right);
        await using var terse = new ScriptedDnsServer(query =>
            [Reply.HasEdns(query) ? [query[0], query[1], 0x80, 1, 0, 0, 0, 0, 0, 0, 0, 0] : Address(query, Right).Octets()]);
        (await AskAsync(terse)).ShouldBe(Right);
    }

    [Fact]
    public async Task An_alias_that_the_server_does_not_follow_is_followed_by_another_question()
    {
        await using var server = new ScriptedDnsServer(query =>
        [
            Reply.NameOf(query) == "a.test" ? Reply.To(query).Alias("a.test", "b.test").Octets() : Address(query, Right).Octets(),
        ]);
        using var resolver = Resolver([server.EndPoint]);
        var answer = await QueryAsync(resolver);
        (answer.Name, Octets(answer)[3]).ShouldBe(("b.test", Right[3]));
    }

    [Fact]
    public async Task An_endless_chain_of_aliases_ends_at_the_limit()
    {
        var next = 0;
        await using var server = new ScriptedDnsServer(query => [Reply.To(query).Alias(Reply.NameOf(query), $"n{++next}.test").Octets()]);
        using var resolver = Resolver([server.EndPoint], new() { MaxAliases = 4, Timeout = Waiting.Limit, Attempts = 1 });
        var answer = await QueryAsync(resolver);
        (answer.Status, answer.Detail).ShouldBe((DnsStatus.Failed, "a.test leads through more than 4 CNAMEs"));
        server.Queries.Count.ShouldBe(5);
    }

    [Fact]
    public async Task A_server_that_only_refers_to_others_is_no_resolver()
    {
        await using var server = new ScriptedDnsServer(query => [Reply.To(query).NameServers("test").Octets()]);
        using var resolver = Resolver([server.EndPoint]);
        (await QueryAsync(resolver)).Detail.ShouldBe($"{server.EndPoint} does not resolve for us: it refers to other servers");
    }

    [Fact]
    public async Task Each_question_has_its_own_ID_port_and_case_of_letters()
    {
        await using var server = new ScriptedDnsServer(query => [Address(query, Right).Octets()]);
        using var resolver = Resolver([server.EndPoint]);
        for (var i = 0; i < 40; i++)
            await QueryAsync(resolver, $"abcdefghijklmnopqrstuvwxyz{i}.test");
        server.Queries.Select(query => (query[0] << 8) | query[1]).Distinct().Count().ShouldBeGreaterThan(35);
        server.Ports.Distinct().Count().ShouldBeGreaterThan(30);
        server.Queries.Select(query => Convert.ToHexString(query[13..39])).Distinct().Count().ShouldBe(40);
    }

    private static DnsResolver Resolver(IReadOnlyList<IPEndPoint> servers, DnsResolverOptions? options = null) =>
        new((options ?? new()) with { Servers = servers, Timeout = options?.Timeout ?? Waiting.Limit, Attempts = options?.Attempts ?? 1 }, TimeProvider.System, NullLogger.Instance);

    private static Reply Address(byte[] query, byte[] address) => Reply.To(query).Answer(Reply.NameOf(query), DnsType.A, 60, address);

    private static async Task<byte[]> AskAsync(ScriptedDnsServer server, string name = "a.test")
    {
        using var resolver = Resolver([server.EndPoint], new() { Timeout = Waiting.Limit });
        return Octets(await QueryAsync(resolver, name));
    }

    private static byte[] Octets(DnsAnswer answer) => answer.Of<AddressRecord>().FirstOrDefault()?.Address.GetAddressBytes() ?? throw new ShouldAssertException(answer.ToString());

    private static async Task<DnsAnswer> QueryAsync(DnsResolver resolver, string name = "a.test") =>
        await resolver.QueryAsync(name, DnsType.A, CancellationToken.None);
}
