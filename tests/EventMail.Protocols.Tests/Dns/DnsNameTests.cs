using System.Net;
using EventMail.Protocols.Dns;
using FsCheck;
using FsCheck.Fluent;

namespace EventMail.Protocols.Tests.Dns;

/// <summary>RFC 1035 §2.3.4, §3.1, §4.1.4, §5.1.</summary>
public sealed class DnsNameTests
{
    [Theory]
    [InlineData("", "")]
    [InlineData(".", "")]
    [InlineData("Example.ORG.", "example.org")]
    [InlineData("_25._tcp.mx", "_25._tcp.mx")]
    [InlineData(@"a\.b.c", @"a\.b.c")]
    [InlineData(@"a\032b", @"a\032b")]
    [InlineData(@"\097", "a")]
    [InlineData(@"a\\b", @"a\\b")]
    public void Names_are_written_in_one_way(string name, string normal) => DnsName.Normalize(name).ShouldBe(normal);

    [Theory]
    [InlineData("a..b")]
    [InlineData("..")]
    [InlineData(".a")]
    [InlineData("a b")]
    [InlineData("ü")]
    [InlineData("a\\")]
    [InlineData(@"a\25")]
    [InlineData(@"a\256")]
    [InlineData("a\u007f")]
    public void What_is_no_name_is_refused(string name) => DnsName.Normalize(name).ShouldBeNull();

    [Theory]
    [InlineData(63, 1, true)]
    [InlineData(64, 1, false)]
    [InlineData(1, 127, true)] // 127 * 2 + 1 = 255
    [InlineData(1, 128, false)]
    public void Labels_have_63_octets_and_names_255(int label, int labels, bool fits)
    {
        var name = string.Join('.', Enumerable.Repeat(new string('a', label), labels));
        (DnsName.Normalize(name) == name).ShouldBe(fits);
        (DnsName.Normalize(name + ".") == name).ShouldBe(fits);
    }

    [Fact]
    public void A_pointer_leads_backwards()
    {
        byte[] message = [3, (byte)'o', (byte)'r', (byte)'g', 0, 1, (byte)'a', 0xC0, 0, 1, (byte)'b', 0xC0, 5];
        var at = 5;
        DnsName.Read(message, ref at).ShouldBe("a.org");
        at.ShouldBe(9);
        DnsName.Read(message, ref at).ShouldBe("b.a.org");
        at.ShouldBe(13);
    }

    [Theory]
    [InlineData(new byte[] { 0xC0, 0 })] // to itself
    [InlineData(new byte[] { 0xC0, 2, 0 })] // forward
    [InlineData(new byte[] { 1, 97, 0xC0, 0 })] // to the part that it ends
    [InlineData(new byte[] { 0xC0 })]
    [InlineData(new byte[] { 5, 97 })]
    [InlineData(new byte[] { 1, 97 })]
    [InlineData(new byte[] { 0x40, 0 })]
    [InlineData(new byte[] { 0x80, 0 })]
    public void Loops_and_what_leads_nowhere_are_refused(byte[] message)
    {
        var at = 0;
        DnsName.Read(message, ref at).ShouldBeNull();
    }

    [Fact]
    public void A_name_that_pointers_make_too_long_is_refused()
    {
        // 64 octets, then each time a label more in front.
        List<byte> message = [63, .. Enumerable.Repeat((byte)'a', 63), 0];
        var at = 0;
        for (var target = 0; target < 300; target = at)
        {
            at = message.Count;
            message.AddRange([63, .. Enumerable.Repeat((byte)'b', 63), (byte)(0xC0 | (target >> 8)), (byte)target]);
            if (at > 200)
                break;
        }
        DnsName.Read(message.ToArray(), ref at).ShouldBeNull();
    }

    [Fact]
    public void What_is_encoded_is_read_again()
    {
        var label = Gen.Choose(0, 255).Select(i => (byte)i).NonEmptyListOf().Select(list => list.Take(20).ToArray());
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(500), Prop.ForAll(label.ListOf().Select(list => list.Take(10).ToArray()).ToArbitrary(), labels =>
        {
            byte[] wire = [.. labels.SelectMany(octets => (byte[])[(byte)octets.Length, .. octets]), 0];
            var at = 0;
            var text = DnsName.Read(wire, ref at);
            text.ShouldNotBeNull();
            at.ShouldBe(wire.Length);
            DnsName.Normalize(text).ShouldBe(text);
            var again = new byte[DnsName.MaxOctets];
            DnsName.Encode(text, again).ShouldBe(wire.Length);
        }));
    }

    [Fact]
    public void Any_text_is_a_name_or_none() => Check.One(Config.QuickThrowOnFailure.WithMaxTest(500), Prop.ForAll<string>(text =>
    {
        if (text is not null && DnsName.Normalize(text) is { } normal)
            DnsName.Normalize(normal).ShouldBe(normal);
    }));

    [Theory]
    [InlineData("192.0.2.1", "1.2.0.192.in-addr.arpa")]
    [InlineData("::ffff:192.0.2.1", "1.2.0.192.in-addr.arpa")]
    [InlineData("2001:db8::1", "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa")]
    public void Addresses_have_a_reverse_name(string address, string name) => ReverseName.Of(IPAddress.Parse(address)).ShouldBe(name);

    [Theory]
    [InlineData("a.example.test", "example.test", true)]
    [InlineData("example.test", "example.test", true)]
    [InlineData("bexample.test", "example.test", false)]
    [InlineData("a.test", "", true)]
    public void A_name_is_within_its_zone(string name, string zone, bool within) => DnsName.IsWithin(name, zone).ShouldBe(within);
}
