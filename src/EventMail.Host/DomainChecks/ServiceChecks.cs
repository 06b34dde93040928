using EventMail.Protocols.Dns;

namespace EventMail.Host.DomainChecks;

/// <summary>Where mail programs find the server by themselves (RFC 6186, RFC 8314 §5.1). Mail works without.</summary>
internal sealed class ServiceChecks(DomainSetup setup, IDnsSource dns)
{
    private static readonly (string Service, int Port)[] Services = [("_submissions", 465), ("_imaps", 993), ("_pop3s", 995)];

    public async Task<IReadOnlyList<CheckLine>> RunAsync(CancellationToken cancel)
    {
        var lines = new List<CheckLine>();
        foreach (var (service, port) in Services)
        {
            var name = $"{service}._tcp.{setup.Domain}";
            var publish = $"{name}. IN SRV 0 1 {port} {setup.Hostname}.";
            var answer = await dns.QueryAsync(name, DnsType.Srv, cancel);
            var records = answer.Of<SrvRecord>().ToList();
            var found = string.Join(", ", records.Select(record => $"{record.Target}.:{record.Port}"));
            lines.Add(answer.Status != DnsStatus.Found
                    ? DomainCheck.Nothing("SRV", answer, name, "mail programs set themselves up by it", publish, isOptional: true)
                : records.Exists(record => record.Target == setup.Hostname || record.Target.Length == 0)
                    ? new("SRV", CheckStatus.Ok, name, found, null, null, IsOptional: true)
                    : new("SRV", CheckStatus.Wrong, name, found, $"it does not lead to {setup.Hostname}", publish, IsOptional: true));
        }
        return lines;
    }
}
