using System.Text;
using EventMail.Protocols.MailAuth.Dkim;

namespace EventMail.Protocols.Tests.MailAuth.Dkim;

/// <summary>Signatures with any tags, right in all that is not said otherwise.</summary>
internal static class Forge
{
    private static readonly DkimSigningKey Rsa = new("example.org", "r1", DkimAlgorithm.RsaSha256, TestKeys.Rsa.PrivateKey);
    private static readonly DkimSigningKey Ed25519 = new("example.org", "e1", DkimAlgorithm.Ed25519Sha256, TestKeys.Ed25519.PrivateKey);

    /// <param name="tags">All but bh= and b=, which are added; as they are to stand behind the colon.</param>
    /// <param name="signed">What is signed, when that is another message than the one that gets the signature.</param>
    public static Mail Sign(this Mail mail, string tags, Mail? signed = null, DkimSigningKey? key = null)
    {
        signed ??= mail;
        TagList.TryParse(Encoding.Latin1.GetBytes(tags), 100, out var list, out _).ShouldBeTrue();
        Canonicalizations.TryParse(list!.Text("c"), out var header, out var body);
        using var hasher = BodyHasher.Create(body, long.TryParse(list.Text("l"), out var length) ? length : null);
        hasher.Append(signed.Body);
        var field = $"DKIM-Signature:{tags.TrimEnd(';')}; bh={Convert.ToBase64String(hasher.Finish())}; b=";
        var octets = Encoding.Latin1.GetBytes(field);
        var names = list.Items("h").Select(name => name.ToLowerInvariant()).ToList();
        var hash = SignedHash.Of(MessageHeader.Read(signed.Header, int.MaxValue)!, names, header, -1, octets, octets.Length..octets.Length);
        key ??= list.Text("a") == "ed25519-sha256" ? Ed25519 : Rsa;
        return mail with { Header = [.. octets, .. Encoding.ASCII.GetBytes(Convert.ToBase64String(key.Sign(hash)) + "\r\n"), .. mail.Header] };
    }
}
