namespace EventMail.Testing;

/// <summary>A zone as a file, signed where that is asked for.</summary>
internal sealed class DnsZoneFile(string folder, DnsZone zone)
{
    private const string Apex = "$TTL 60\n@ SOA ns.invalid. hostmaster.invalid. 1 3600 600 86400 30\n@ NS ns.invalid.\n";

    private string Origin => zone.Name.TrimEnd('.') + ".";

    /// <returns>The zone file, and the file with the key that validates it.</returns>
    public async Task<(string File, string? Anchor)> WriteAsync()
    {
        var path = Path.Combine(folder, $"zone-{(zone.Name == "." ? "root" : zone.Name)}");
        var text = zone.Text.Contains(" SOA ", StringComparison.Ordinal) ? zone.Text : Apex + zone.Text;
        await File.WriteAllTextAsync(path, $"$ORIGIN {Origin}\n{text}\n");
        return zone.IsSigned ? await SignAsync(path) : (path, null);
    }

    private async Task<(string, string)> SignAsync(string path)
    {
        var keys = Directory.CreateDirectory(Path.Combine(folder, "keys-" + zone.Name.Trim('.')));
        if (keys.GetFiles("*.key") is not [var key])
        {
            await DnsServer.RunAsync("dnssec-keygen", "-q", "-K", keys.FullName, "-a", "ECDSAP256SHA256", "-f", "KSK", Origin);
            key = keys.GetFiles("*.key").Single();
        }
        var signed = path + ".signed";
        // One key signs keys and records (-z).
        await DnsServer.RunAsync("dnssec-signzone", "-q", "-S", "-z", "-K", keys.FullName, "-d", folder, "-o", Origin, "-O", "full", "-f", signed, path);
        if (zone.Tamper is { } tamper)
            await File.WriteAllTextAsync(signed, tamper(await File.ReadAllTextAsync(signed)));
        return (signed, key.FullName);
    }
}
