using System.Net;
using System.Net.Sockets;
using EventMail.Protocols.Dns;

namespace EventMail.Protocols.MailAuth;

/// <summary>What iprev says (RFC 8601 §3), in the words of Authentication-Results, and the name that led back to the address.</summary>
internal readonly record struct ReverseNameResult(string Word, string? Name);

/// <summary>Asks for the name of an address, and whether that leads back to it (RFC 8601 §3).</summary>
internal static class ReverseNameCheck
{
    // RFC 8601 §3 asks for a limit of names: "ten".
    private const int MaxNames = 10;

    public static async ValueTask<ReverseNameResult> RunAsync(IDnsSource dns, IPAddress client, CancellationToken cancel)
    {
        var reverse = await dns.QueryAsync(ReverseName.Of(client), DnsType.Ptr, cancel).ConfigureAwait(false);
        if (reverse.Status != DnsStatus.Found)
            return new(reverse.Status == DnsStatus.Failed ? "temperror" : "permerror", null);
        var failed = false;
        foreach (var pointer in reverse.Of<NameRecord>().Take(MaxNames))
        {
            var type = client.AddressFamily == AddressFamily.InterNetwork ? DnsType.A : DnsType.Aaaa;
            var addresses = await dns.QueryAsync(pointer.Name, type, cancel).ConfigureAwait(false);
            if (addresses.Of<AddressRecord>().Any(record => record.Address.Equals(client)) && DomainNames.IsHostName(pointer.Name))
                return new("pass", pointer.Name);
            failed |= addresses.Status == DnsStatus.Failed;
        }
        return new(failed ? "temperror" : "fail", null);
    }
}
