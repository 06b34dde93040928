using System.Security.Cryptography;
using System.Text;
using EventMail.Protocols.Sasl;

namespace EventMail.Protocols.Smtp.Client.Auth;

/// <summary>RFC 4616.</summary>
internal sealed class PlainMechanism(string user, string password) : ClientMechanism
{
    public override string Name => "PLAIN";

    public override byte[] Initial => Encoding.UTF8.GetBytes($"\0{user}\0{password}");

    public override byte[]? Respond(ReadOnlySpan<byte> challenge) => null;
}

/// <summary>Two questions that everybody asks in other words; what they ask for is known by their order.</summary>
internal sealed class LoginMechanism(string user, string password) : ClientMechanism
{
    private int _asked;

    public override string Name => "LOGIN";

    public override byte[]? Initial => null;

    public override byte[]? Respond(ReadOnlySpan<byte> challenge) => _asked++ switch
    {
        0 => Encoding.UTF8.GetBytes(user),
        1 => Encoding.UTF8.GetBytes(password),
        _ => null,
    };
}

/// <summary>RFC 2195.</summary>
internal sealed class CramMd5Mechanism(string user, string password) : ClientMechanism
{
    private bool _asked;

    public override string Name => "CRAM-MD5";

    public override byte[]? Initial => null;

    public override byte[]? Respond(ReadOnlySpan<byte> challenge)
    {
        if (_asked || challenge.IsEmpty)
        {
            return null;
        }

        _asked = true;
        return [.. Encoding.UTF8.GetBytes(user + " "), .. CramMd5Exchange.Hex(HMACMD5.HashData(Encoding.UTF8.GetBytes(password), challenge))];
    }
}

/// <summary>OAUTHBEARER (RFC 7628) and XOAUTH2: a token; a challenge is an error in JSON, and wants an answer before the refusal.</summary>
internal sealed class TokenMechanism(string name, byte[] initial) : ClientMechanism
{
    private bool _asked;

    public override string Name => name;

    public override byte[] Initial => initial;

    // RFC 7628 §3.2.3: a single ^A; XOAUTH2: an empty response.
    public override byte[]? Respond(ReadOnlySpan<byte> challenge)
    {
        if (_asked)
        {
            return null;
        }

        _asked = true;
        return name == "OAUTHBEARER" ? [1] : [];
    }

    public static TokenMechanism Bearer(string user, string token, RemoteHost host) => new(
        "OAUTHBEARER",
        Encoding.UTF8.GetBytes($"n,a={user.Replace("=", "=3D").Replace(",", "=2C")},\u0001host={host.Name}\u0001port={host.Address.Port}\u0001auth=Bearer {token}\u0001\u0001"));

    public static TokenMechanism XOAuth2(string user, string token) => new(
        "XOAUTH2", Encoding.UTF8.GetBytes($"user={user}\u0001auth=Bearer {token}\u0001\u0001"));
}
