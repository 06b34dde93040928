using EventMail.Protocols.Dns;

namespace EventMail.Protocols.Tests.Dns;

public sealed class DnsCacheTests
{
    private readonly ManualTime _time = new();

    [Fact]
    public void What_was_not_used_the_longest_goes_first()
    {
        var cache = new DnsCache(maxEntries: 2, maxBytes: 1 << 20, _time);
        Add(cache, "a");
        Add(cache, "b");
        Has(cache, "a").ShouldBeTrue();
        Add(cache, "c");
        (Has(cache, "a"), Has(cache, "b"), Has(cache, "c")).ShouldBe((true, false, true));
    }

    [Fact]
    public void Octets_are_bounded_too()
    {
        var cache = new DnsCache(maxEntries: 1000, maxBytes: 10_000, _time);
        for (var i = 0; i < 100; i++)
            Add(cache, $"n{i}", 1000);
        cache.Bytes.ShouldBeInRange(5_000, 10_000);
        Has(cache, "n99").ShouldBeTrue();
        // One that would push out all others is not taken at all.
        Add(cache, "huge", 5_000);
        (Has(cache, "huge"), Has(cache, "n99")).ShouldBe((false, true));
    }

    [Fact]
    public void What_is_over_or_replaced_takes_no_room()
    {
        var cache = new DnsCache(maxEntries: 10, maxBytes: 1 << 20, _time);
        Add(cache, "a");
        Add(cache, "a");
        cache.Count.ShouldBe(1);
        _time.Advance(TimeSpan.FromMinutes(1));
        Has(cache, "a").ShouldBeFalse();
        (cache.Count, cache.Bytes).ShouldBe((0, 0L));
    }

    private static void Add(DnsCache cache, string name, int octets = 10) =>
        cache.Add(new(name, DnsType.Txt), new(DnsStatus.Found, name, [new TxtRecord(new byte[octets])], false, null), TimeSpan.FromMinutes(1));

    private static bool Has(DnsCache cache, string name) => cache.Find(new(name, DnsType.Txt)) is not null;
}
