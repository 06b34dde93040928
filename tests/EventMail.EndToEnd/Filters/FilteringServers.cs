using System.Security.Cryptography;
using EventMail.Testing;

namespace EventMail.EndToEnd.Filters;

/// <summary>Real filters and two servers for a class of tests: one asks rspamd over HTTP, the other one milters. What is not installed is left out.</summary>
public sealed class FilteringServers : IAsyncLifetime
{
    /// <summary>Whose key the DNS has and opendkim signs with.</summary>
    private const string Domain = "example.org";

    private readonly RSA _key = RSA.Create(2048);
    private readonly List<IAsyncDisposable> _started = [];
    private DnsServer? _dns;
    private Rspamd? _rspamd;
    private TestServer? _server;
    private TestServer? _milters;

    /// <summary>Asks rspamd, also about submitted mail.</summary>
    public TestServer Server => _server ?? throw Missing();

    /// <summary>Asks our own milter, rspamd's, ClamAV's, then opendkim, which signs.</summary>
    public TestServer Milters => _milters ?? throw Missing();

    internal Rspamd Rspamd => _rspamd ?? throw Missing();

    /// <summary>The DNS gets another zone.</summary>
    public Task PublishAsync(DnsZone zone) => _dns!.ReplaceAsync(Zone, zone);

    public async Task InitializeAsync()
    {
        var milters = new List<string>();
        if (Has("/usr/bin/python3", LibMilter.Module))
            milters.Add(Keep(await LibMilter.StartAsync()).Address);
        if (Has("rspamd", "unbound"))
        {
            _dns = Keep(await DnsServer.StartAsync(Zone));
            _rspamd = Keep(await Rspamd.StartAsync(_dns.EndPoint.Port));
            milters.Add($"inet:127.0.0.1:{_rspamd.Milter}");
            _server = Keep(await StartAsync($"Dns:Servers={_dns.Setting}", $"Filters:Rspamd:Url={_rspamd.Url}", "Filters:Submission=true"));
        }
        if (Has("/usr/sbin/clamd", "/usr/sbin/clamav-milter"))
            milters.Add(Keep(await ClamAv.StartAsync()).Address);
        if (Has("/usr/sbin/opendkim"))
            milters.Add(Keep(await OpenDkim.StartAsync(Domain, "s1", _key.ExportRSAPrivateKeyPem())).Address);
        if (milters.Count > 0)
            _milters = Keep(await StartAsync("MailAuth:Enabled=false", $"Filters:Milters={string.Join(", ", milters)}"));
    }

    public async Task DisposeAsync()
    {
        foreach (var started in Enumerable.Reverse(_started))
            await started.DisposeAsync();
        _key.Dispose();
    }

    private DnsZone Zone
    {
        get
        {
            // A string of a TXT record has 255 octets at most.
            var key = Convert.ToBase64String(_key.ExportSubjectPublicKeyInfo());
            return new(Domain, $"s1._domainkey TXT \"v=DKIM1; k=rsa; p={key[..200]}\" \"{key[200..]}\"");
        }
    }

    private static bool Has(params string[] programs) => NeedsFactAttribute.Reason(programs) is null;

    private static Task<TestServer> StartAsync(params string[] settings) => TestServer.StartAsync(new()
    {
        Settings = [.. MailServer.Settings, "MailAuth:TrustedNetworks=", "Hostname=mx.example.test", "Delivery:Enabled=false", .. settings],
    });

    private static InvalidOperationException Missing() => new("Its program is not installed.");

    private T Keep<T>(T started)
        where T : IAsyncDisposable
    {
        _started.Add(started);
        return started;
    }
}
