using System.Net;
using EventMail.Protocols.Dns;
using Microsoft.Extensions.Logging.Abstractions;

namespace EventMail.Protocols.Tests.Dns;

public sealed class DnsServersTests : IDisposable
{
    private readonly string _file = Path.GetTempFileName();
    private readonly ManualTime _time = new();

    public void Dispose() => File.Delete(_file);

    [Fact]
    public void Resolv_conf_says_whom_to_ask_and_how()
    {
        var conf = ResolvConf.Parse(
            """
            # a comment
            ; another
            search example.org
            nameserver 192.0.2.1
            nameserver	2001:db8::1
            nameserver nonsense
            options ndots:2 timeout:3 attempts:4 rotate
            options trust-ad use-vc unknown:x timeout:x
            """);
        conf.Servers.ShouldBe([new(IPAddress.Parse("192.0.2.1"), 53), new(IPAddress.Parse("2001:db8::1"), 53)]);
        (conf.Timeout, conf.Attempts, conf.Rotate, conf.TrustAd, conf.TcpOnly).ShouldBe((TimeSpan.FromSeconds(3), 4, true, true, true));
    }

    [Fact]
    public void Its_numbers_and_its_servers_are_bounded()
    {
        var conf = ResolvConf.Parse(string.Concat(Enumerable.Range(1, 50).Select(i => $"nameserver 192.0.2.{i}\n")) + "options timeout:999 attempts:0\n");
        (conf.Servers.Count, conf.Timeout, conf.Attempts).ShouldBe((ResolvConf.MaxServers, TimeSpan.FromSeconds(30), 1));
    }

    [Fact]
    public void Without_a_server_the_one_on_this_machine_is_asked() =>
        ResolvConf.Parse("options edns0").Servers.ShouldBe([new(IPAddress.Loopback, 53)]);

    [Theory]
    [InlineData("nameserver 192.0.2.1", false)]
    [InlineData("nameserver 192.0.2.1\noptions trust-ad", true)]
    [InlineData("nameserver 127.0.0.53\nnameserver ::1", true)]
    [InlineData("nameserver 127.0.0.53\nnameserver 192.0.2.1", false)]
    public void Their_word_on_authenticity_is_believed_where_the_way_to_them_is_safe(string text, bool trusted)
    {
        File.WriteAllText(_file, text);
        Servers().Current(out _).TrustAd.ShouldBe(trusted);
        Servers(new() { TrustAd = TrustAd.Never }).Current(out _).TrustAd.ShouldBeFalse();
    }

    [Fact]
    public void A_changed_file_is_read_again()
    {
        File.WriteAllText(_file, "nameserver 192.0.2.1");
        var servers = Servers();
        servers.Current(out _).Servers.Single().Address.ShouldBe(IPAddress.Parse("192.0.2.1"));
        File.WriteAllText(_file, "nameserver 192.0.2.22");
        _time.Advance(TimeSpan.FromSeconds(2));
        servers.Current(out var changed).Servers.Single().Address.ShouldBe(IPAddress.Parse("192.0.2.22"));
        changed.ShouldBeTrue();
        _time.Advance(TimeSpan.FromSeconds(2));
        servers.Current(out changed);
        changed.ShouldBeFalse();
    }

    [Fact]
    public void A_missing_file_is_as_an_empty_one()
    {
        File.Delete(_file);
        var set = Servers().Current(out _);
        (set.Servers.Single(), set.Timeout, set.Attempts).ShouldBe((new(IPAddress.Loopback, 53), TimeSpan.FromSeconds(5), 2));
    }

    [Fact]
    public void Servers_take_turns_where_that_is_asked_for_and_silent_ones_come_last()
    {
        File.WriteAllText(_file, "nameserver 192.0.2.1\nnameserver 192.0.2.2\nnameserver 192.0.2.3\noptions rotate");
        var servers = Servers();
        var set = servers.Current(out _);
        Enumerable.Range(0, 3).Select(_ => servers.InOrder(set)[0]).Distinct().Count().ShouldBe(3);
        servers.NoteSilence(set.Servers[0], "silent");
        Enumerable.Range(0, 3).ShouldAllBe(_ => servers.InOrder(set)[2].Equals(set.Servers[0]));
        _time.Advance(TimeSpan.FromSeconds(31));
        Enumerable.Range(0, 3).Select(_ => servers.InOrder(set)[0]).Distinct().Count().ShouldBe(3);
    }

    private DnsServers Servers(DnsResolverOptions? options = null) =>
        new((options ?? new()) with { ResolvConf = _file }, _time, NullLogger.Instance);
}
