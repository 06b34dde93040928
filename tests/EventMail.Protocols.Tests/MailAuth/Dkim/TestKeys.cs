using EventMail.Protocols.MailAuth.Dkim;

namespace EventMail.Protocols.Tests.MailAuth.Dkim;

/// <summary>A domain with a key of each kind, as its signer has them and as they stand in the DNS.</summary>
internal static class TestKeys
{
    public static readonly DkimKeyPair Rsa = DkimKeyPair.Generate(DkimAlgorithm.RsaSha256);
    public static readonly DkimKeyPair Ed25519 = DkimKeyPair.Generate(DkimAlgorithm.Ed25519Sha256);

    private static readonly DkimSigningKey[] Keys =
    [
        new("example.org", "r1", DkimAlgorithm.RsaSha256, Rsa.PrivateKey), new("example.org", "e1", DkimAlgorithm.Ed25519Sha256, Ed25519.PrivateKey),
    ];

    public static DnsTable Dns() => new DnsTable()
        .Txt("r1._domainkey.example.org", Record(Rsa))
        .Txt("e1._domainkey.example.org", Record(Ed25519));

    public static string Record(DkimKeyPair key) => $"v=DKIM1; k={key.Algorithm.KeyType()}; p={Convert.ToBase64String(key.PublicKey)}";

    /// <param name="keys">How many of the two sign, the RSA one first.</param>
    public static DkimSigner Signer(int keys = 2) =>
        new((domain, _) => new(domain == "example.org" ? Keys.Take(keys).ToArray() : Array.Empty<DkimSigningKey>()));

    /// <summary>The mail with its signatures on top.</summary>
    public static async Task<Mail> SignAsync(this Mail mail, int keys = 2)
    {
        var fields = await Signer(keys).SignAsync("example.org", mail.Header, mail.InPieces(), Mail.Now, default);
        return mail with { Header = [.. fields!, .. mail.Header] };
    }
}
