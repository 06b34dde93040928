using System.Buffers.Binary;
using System.Net;
using EventMail.Protocols.Dns;
using EventMail.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace EventMail.Protocols.Tests.Dns;

/// <summary>What is asked, what is remembered and for how long, and who waits for what.</summary>
public sealed class DnsResolverTests
{
    private static readonly byte[] Address = [192, 0, 2, 1];

    private readonly ManualTime _time = new();

    [Fact]
    public async Task An_answer_is_remembered_for_its_TTL_whatever_the_case_of_the_question()
    {
        await using var server = new ScriptedDnsServer(query => [Found(query, ttl: 60)]);
        using var resolver = Resolver(server);
        await QueryAsync(resolver);
        _time.Advance(TimeSpan.FromSeconds(59));
        await QueryAsync(resolver, "A.Test.");
        server.Queries.Count.ShouldBe(1);
        _time.Advance(TimeSpan.FromSeconds(1));
        await QueryAsync(resolver);
        server.Queries.Count.ShouldBe(2);
    }

    [Theory]
    [InlineData(0u, 0, 0)] // not to be remembered
    [InlineData(0x80000000u, 0, 0)] // RFC 2181 §8
    [InlineData(1_000_000u, 86_399, 86_401)] // MaxTtl
    public async Task TTLs_that_are_none_and_such_as_are_too_long(uint ttl, int still, int over)
    {
        await using var server = new ScriptedDnsServer(query => [Found(query, ttl)]);
        using var resolver = Resolver(server);
        await QueryAsync(resolver);
        if (still > 0)
        {
            _time.Advance(TimeSpan.FromSeconds(still));
            await QueryAsync(resolver);
            server.Queries.Count.ShouldBe(1);
        }
        _time.Advance(TimeSpan.FromSeconds(over - still));
        await QueryAsync(resolver);
        server.Queries.Count.ShouldBe(2);
    }

    [Fact]
    public async Task The_least_TTL_of_a_chain_counts()
    {
        await using var server = new ScriptedDnsServer(query => [Reply.To(query).Alias("a.test", "b.test", 5).Answer("b.test", DnsType.A, 60, Address).Octets()]);
        using var resolver = Resolver(server);
        await QueryAsync(resolver);
        _time.Advance(TimeSpan.FromSeconds(6));
        await QueryAsync(resolver);
        server.Queries.Count.ShouldBe(2);
    }

    [Theory]
    [InlineData(0, 30u, 60u, 30)]
    [InlineData(3, 60u, 20u, 20)]
    [InlineData(3, 100_000u, 100_000u, 3600)] // MaxNegativeTtl
    public async Task What_does_not_exist_is_remembered_as_the_SOA_says(int code, uint ttl, uint minimum, int seconds)
    {
        await using var server = new ScriptedDnsServer(query => [Reply.To(query).Code(code).Authority("test", ttl, minimum).Octets()]);
        using var resolver = Resolver(server);
        (await QueryAsync(resolver)).Status.ShouldBe(code == 3 ? DnsStatus.NoName : DnsStatus.NoData);
        _time.Advance(TimeSpan.FromSeconds(seconds - 1));
        await QueryAsync(resolver);
        server.Queries.Count.ShouldBe(1);
        _time.Advance(TimeSpan.FromSeconds(1));
        await QueryAsync(resolver);
        server.Queries.Count.ShouldBe(2);
    }

    [Fact]
    public async Task A_name_that_does_not_exist_has_nothing_of_any_type()
    {
        // RFC 2308 §5; what leads to such a name exists itself.
        await using var server = new ScriptedDnsServer(query =>
            [(query.AsSpan(12).IndexOf("alias"u8) < 0 ? Reply.To(query) : Reply.To(query).Alias("alias", "gone.test")).Code(3).Authority("test", 60, 60).Octets()]);
        using var resolver = Resolver(server, new() { MixCase = false });
        foreach (var (name, asked) in new[] { ("gone.test", 1), ("alias", 4) })
        {
            foreach (var type in new[] { DnsType.A, DnsType.Aaaa, DnsType.Mx })
                (await resolver.QueryAsync(name, type, CancellationToken.None)).Status.ShouldBe(DnsStatus.NoName);
            server.Queries.Count.ShouldBe(asked);
        }
    }

    [Theory]
    [InlineData(null)]
    [InlineData("other")]
    public async Task Without_a_SOA_of_its_zone_it_is_not(string? zone)
    {
        await using var server = new ScriptedDnsServer(query =>
            [(zone is null ? Reply.To(query).Code(3) : Reply.To(query).Code(3).Authority(zone, 60, 60)).Octets()]);
        using var resolver = Resolver(server);
        await QueryAsync(resolver);
        await QueryAsync(resolver);
        server.Queries.Count.ShouldBe(2);
    }

    [Fact]
    public async Task A_failure_is_remembered_for_a_moment()
    {
        await using var server = new ScriptedDnsServer(query => [Reply.To(query).Code(2).Octets()]);
        using var resolver = Resolver(server);
        await QueryAsync(resolver);
        (await QueryAsync(resolver)).Status.ShouldBe(DnsStatus.Failed);
        server.Queries.Count.ShouldBe(1);
        _time.Advance(TimeSpan.FromSeconds(5));
        await QueryAsync(resolver);
        server.Queries.Count.ShouldBe(2);
    }

    [Fact]
    public async Task The_same_question_of_many_is_asked_once()
    {
        using var gate = new ManualResetEventSlim();
        await using var server = new ScriptedDnsServer(query =>
        {
            gate.Wait(Waiting.Limit);
            return [Found(query, 60)];
        });
        using var resolver = Resolver(server);
        var asked = Enumerable.Range(0, 50).Select(_ => QueryAsync(resolver)).ToList();
        gate.Set();
        (await Task.WhenAll(asked)).ShouldAllBe(answer => answer.Status == DnsStatus.Found);
        server.Queries.Count.ShouldBe(1);
    }

    [Fact]
    public async Task Who_gives_up_is_let_go_at_once_and_the_others_get_their_answer()
    {
        using var gate = new ManualResetEventSlim();
        await using var server = new ScriptedDnsServer(query =>
        {
            gate.Wait(Waiting.Limit);
            return [Found(query, 60)];
        });
        using var resolver = Resolver(server);
        using var cancel = new CancellationTokenSource();
        var hasty = resolver.QueryAsync("a.test", DnsType.A, cancel.Token).AsTask();
        var patient = QueryAsync(resolver);
        await cancel.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(hasty);
        gate.Set();
        (await patient).Status.ShouldBe(DnsStatus.Found);
    }

    [Fact]
    public async Task No_more_questions_are_under_way_than_allowed()
    {
        await using var server = new ScriptedDnsServer(_ => []);
        using var resolver = Resolver(server, new() { MaxConcurrent = 2, Timeout = TimeSpan.FromMinutes(1) });
        var asked = Enumerable.Range(0, 10).Select(i => QueryAsync(resolver, $"n{i}.test")).ToList();
        await Waiting.UntilAsync(() => server.Queries.Count >= 2);
        await Task.Delay(100);
        server.Queries.Count.ShouldBe(2);
        resolver.Dispose();
        await Task.WhenAll(asked);
    }

    [Theory]
    [InlineData(TrustAd.Auto, true)] // the server is on this machine
    [InlineData(TrustAd.Always, true)]
    [InlineData(TrustAd.Never, false)]
    public async Task AD_is_asked_for_and_believed_only_where_the_server_is_trusted(TrustAd trust, bool believed)
    {
        await using var server = new ScriptedDnsServer(query => [Reply.To(query).Authenticated().Answer("a.test", DnsType.A, 60, Address).Octets()]);
        using var resolver = Resolver(server, new() { TrustAd = trust });
        (await QueryAsync(resolver)).IsAuthentic.ShouldBe(believed);

        var query = server.Queries.Single();
        query[2].ShouldBe((byte)1); // RD
        (query[3] == 0x20).ShouldBe(believed); // AD
        BinaryPrimitives.ReadUInt16BigEndian(query.AsSpan(query.Length - 8)).ShouldBe((ushort)1232);
        (query[^4] == 0x80).ShouldBe(believed); // DO
    }

    [Fact]
    public async Task A_server_is_asked_over_IPv6()
    {
        if (!System.Net.Sockets.Socket.OSSupportsIPv6)
            return;
        await using var server = new ScriptedDnsServer(query => [Found(query, 60)], address: IPAddress.IPv6Loopback);
        using var resolver = Resolver(server);
        (await QueryAsync(resolver)).Status.ShouldBe(DnsStatus.Found);
    }

    [Theory]
    [InlineData("a..test")]
    [InlineData(".test")]
    [InlineData("a test")]
    [InlineData("ä.test")]
    [InlineData("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx.test")]
    public async Task What_is_no_name_is_not_asked_for(string name)
    {
        await using var server = new ScriptedDnsServer(_ => []);
        using var resolver = Resolver(server);
        var answer = await QueryAsync(resolver, name);
        (answer.Status, answer.Detail).ShouldBe((DnsStatus.NoName, "not a name that the DNS can hold"));
        server.Queries.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_closed_resolver_fails_what_is_under_way()
    {
        await using var server = new ScriptedDnsServer(_ => []);
        var resolver = Resolver(server, new() { Timeout = TimeSpan.FromMinutes(1) });
        var answer = QueryAsync(resolver);
        await Waiting.UntilAsync(() => !server.Queries.IsEmpty);
        resolver.Dispose();
        (await answer).Status.ShouldBe(DnsStatus.Failed);
    }

    private DnsResolver Resolver(ScriptedDnsServer server, DnsResolverOptions? options = null) =>
        new((options ?? new()) with { Servers = [server.EndPoint] }, _time, NullLogger.Instance);

    private static byte[] Found(byte[] query, uint ttl) => Reply.To(query).Answer(Reply.NameOf(query), DnsType.A, ttl, Address).Octets();

    private static async Task<DnsAnswer> QueryAsync(DnsResolver resolver, string name = "a.test") =>
        await resolver.QueryAsync(name, DnsType.A, CancellationToken.None);
}
