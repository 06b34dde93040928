using System.Net;

namespace EventMail.Host.Configuration;

/// <summary>A setting that is a list of networks: `192.0.2.0/24, 2001:db8::/32, 198.51.100.7`.</summary>
internal static class NetworkList
{
    /// <param name="key">The setting's, for messages.</param>
    /// <exception cref="SettingsException">It has something else in it.</exception>
    public static IReadOnlyList<IPNetwork> Parse(string key, string text)
    {
        var networks = new List<IPNetwork>();
        foreach (var word in text.Split([',', ' ', ';'], StringSplitOptions.RemoveEmptyEntries))
        {
            if (IPAddress.TryParse(word, out var address))
                networks.Add(new(address, 8 * address.GetAddressBytes().Length));
            else if (IPNetwork.TryParse(word, out var network))
                networks.Add(network);
            else
                throw new SettingsException($"{key} has '{word}': write networks such as 192.0.2.0/24, 2001:db8::/32 or 198.51.100.7");
        }
        return networks;
    }
}
