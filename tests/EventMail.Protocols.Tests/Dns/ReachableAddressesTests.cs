using System.Net;
using EventMail.Protocols.Dns;

namespace EventMail.Protocols.Tests.Dns;

public sealed class ReachableAddressesTests
{
    [Theory]
    [InlineData("192.0.2.1")]
    [InlineData("172.32.0.1")]
    [InlineData("100.128.0.1")]
    [InlineData("223.255.255.255")]
    [InlineData("2001:db8::1")]
    [InlineData("::ffff:192.0.2.1")]
    [InlineData("64:ff9b::192.0.2.1")]
    [InlineData("2002:c000:201::1")]
    public void The_Internet_is_reached(string address) => new ReachableAddresses().Contains(IPAddress.Parse(address)).ShouldBeTrue();

    [Theory]
    [InlineData("127.0.0.1", true, false)]
    [InlineData("127.255.255.254", true, false)]
    [InlineData("::1", true, false)]
    [InlineData("::ffff:127.0.0.1", true, false)]
    [InlineData("::127.0.0.1", true, false)]
    [InlineData("64:ff9b::7f00:1", true, false)]
    [InlineData("2002:7f00:1::", true, false)]
    [InlineData("10.1.2.3", false, true)]
    [InlineData("172.16.0.1", false, true)]
    [InlineData("172.31.255.255", false, true)]
    [InlineData("192.168.0.1", false, true)]
    [InlineData("100.64.0.1", false, true)]
    [InlineData("198.19.0.1", false, true)]
    [InlineData("fd12::1", false, true)]
    [InlineData("fec0::1", false, true)]
    [InlineData("::ffff:10.0.0.1", false, true)]
    [InlineData("64:ff9b::a00:1", false, true)]
    [InlineData("64:ff9b:1::1", false, true)]
    [InlineData("2002:a00:1::", false, true)]
    [InlineData("0.0.0.0", false, false)]
    [InlineData("169.254.169.254", false, false)]
    [InlineData("168.63.129.16", false, false)]
    [InlineData("192.0.0.8", false, false)]
    [InlineData("224.0.0.1", false, false)]
    [InlineData("255.255.255.255", false, false)]
    [InlineData("::", false, false)]
    [InlineData("::ffff:169.254.169.254", false, false)]
    [InlineData("fe80::1", false, false)]
    [InlineData("ff02::1", false, false)]
    public void What_is_behind_the_firewall_is_reached_only_where_that_is_allowed(string text, bool loopback, bool isPrivate)
    {
        var address = IPAddress.Parse(text);
        new ReachableAddresses().Contains(address).ShouldBeFalse();
        new ReachableAddresses(Loopback: true).Contains(address).ShouldBe(loopback);
        new ReachableAddresses(Private: true).Contains(address).ShouldBe(isPrivate);
    }
}
