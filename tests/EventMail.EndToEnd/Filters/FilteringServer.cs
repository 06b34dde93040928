using System.Security.Cryptography;
using EventMail.Testing;

namespace EventMail.EndToEnd.Filters;

/// <summary>One server for a class of tests that asks a real rspamd over HTTP, also about submitted mail; both with one DNS.</summary>
public sealed class FilteringServer : IAsyncLifetime
{
    /// <summary>Whose key the DNS has, with <see cref="Selector"/>.</summary>
    public const string Domain = "example.org";

    public const string Selector = "s1";

    private readonly RSA _key = RSA.Create(2048);
    private DnsServer? _dns;
    private Rspamd? _rspamd;
    private TestServer? _server;

    public TestServer Server => _server ?? throw new InvalidOperationException("The server has not been started.");

    /// <summary>PEM.</summary>
    public string PrivateKey => _key.ExportRSAPrivateKeyPem();

    internal Rspamd Rspamd => _rspamd ?? throw new InvalidOperationException("Rspamd has not been started.");

    /// <summary>The DNS gets another zone beside <see cref="Domain"/>'s.</summary>
    public Task PublishAsync(DnsZone zone) => _dns!.ReplaceAsync(Zone, zone);

    public async Task InitializeAsync()
    {
        if (NeedsFactAttribute.Reason(["rspamd", "unbound"]) is not null)
            return;
        _dns = await DnsServer.StartAsync(Zone);
        _rspamd = await Rspamd.StartAsync(_dns.EndPoint.Port);
        _server = await TestServer.StartAsync(new()
        {
            Settings =
            [
                .. MailServer.Settings, $"Dns:Servers={_dns.Setting}", "MailAuth:TrustedNetworks=", "Hostname=mx.example.test", "Delivery:Enabled=false",
                $"Filters:Rspamd:Url={_rspamd.Url}", "Filters:Submission=true",
            ],
        });
    }

    public async Task DisposeAsync()
    {
        if (_server is not null)
            await _server.DisposeAsync();
        if (_rspamd is not null)
            await _rspamd.DisposeAsync();
        if (_dns is not null)
            await _dns.DisposeAsync();
        _key.Dispose();
    }

    private DnsZone Zone
    {
        get
        {
            // A string of a TXT record has 255 octets at most.
            var key = Convert.ToBase64String(_key.ExportSubjectPublicKeyInfo());
            return new(Domain, $"{Selector}._domainkey TXT \"v=DKIM1; k=rsa; p={key[..200]}\" \"{key[200..]}\"");
        }
    }
}
