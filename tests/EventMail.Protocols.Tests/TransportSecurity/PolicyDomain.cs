using System.Net;
using System.Text;
using EventMail.Protocols.Dns;

namespace EventMail.Protocols.Tests.TransportSecurity;

/// <summary>A domain with a policy: its DNS and its web server, both as a test wants them at the moment.</summary>
internal sealed class PolicyDomain : HttpMessageHandler, IDnsSource
{
    public const string Name = "example.test";

    private int _fetches;

    /// <summary>Null: there is no record.</summary>
    public string? Id { get; set; } = "1";

    public bool IsDnsFailing { get; set; }

    public string Policy { get; set; } = "version: STSv1\nmode: enforce\nmx: mx.example.test\nmax_age: 864000\n";

    public Func<HttpResponseMessage>? Response { get; set; }

    public int Fetches => _fetches;

    public ValueTask<DnsAnswer> QueryAsync(string name, DnsType type, CancellationToken cancel) => new(
        IsDnsFailing ? new DnsAnswer(DnsStatus.Failed, name, [], false, "SERVFAIL")
        : name == "_mta-sts." + Name && type == DnsType.Txt && Id is not null
            ? new(DnsStatus.Found, name, [new TxtRecord(Encoding.ASCII.GetBytes($"v=STSv1; id={Id};"))], false, null)
        : name == "mta-sts." + Name && type == DnsType.A
            ? new(DnsStatus.Found, name, [new AddressRecord(IPAddress.Loopback)], false, null)
        : new(DnsStatus.NoName, name, [], false, null));

    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancel)
    {
        request.RequestUri!.AbsoluteUri.ShouldBe($"https://mta-sts.{Name}/.well-known/mta-sts.txt");
        Interlocked.Increment(ref _fetches);
        return Task.FromResult(Response?.Invoke() ?? new(HttpStatusCode.OK) { Content = new StringContent(Policy, Encoding.UTF8, "text/plain") });
    }
}
