using System.Security.Cryptography;
using System.Text;
using Org.BouncyCastle.Math.EC.Rfc8032;

namespace EventMail.EventStore.Proof;

/// <summary>A key that signs notes. Its text is a secret.</summary>
public sealed class NoteSigningKey
{
    private const string Prefix = "PRIVATE+KEY+";

    private readonly byte[] _secret;

    private NoteSigningKey(string name, byte[] secret)
    {
        var key = new byte[Ed25519.PublicKeySize];
        Ed25519.GeneratePublicKey(secret, 0, key, 0);
        (_secret, Public) = (secret, new(name, key));
    }

    public NoteKey Public { get; }

    public static NoteSigningKey Generate(string name) => new(name, RandomNumberGenerator.GetBytes(Ed25519.SecretKeySize));

    /// <summary>Reads `PRIVATE+KEY+name+hash+key`.</summary>
    /// <exception cref="FormatException">It is something else; the message tells nothing of it.</exception>
    public static NoteSigningKey Parse(string text)
    {
        var parts = text.Trim().Split('+', 5);
        if (parts.Length != 5 || $"{parts[0]}+{parts[1]}+" != Prefix || Base64.TryDecode(parts[4]) is not { } octets
            || octets.Length != 1 + Ed25519.SecretKeySize || octets[0] != NoteKey.Ed25519Type)
            throw new FormatException("no private key of the form PRIVATE+KEY+name+hash+key");
        var key = new NoteSigningKey(parts[2], octets[1..]);
        return parts[3] == key.Public.IdText ? key : throw new FormatException("a damaged private key: its hash is another");
    }

    /// <summary>The text with this key's signature under it.</summary>
    public SignedNote Sign(string text)
    {
        SignedNote.RequireText(text);
        var octets = Encoding.UTF8.GetBytes(text);
        var signature = new byte[Ed25519.SignatureSize];
        Ed25519.Sign(_secret, 0, octets, 0, octets.Length, signature, 0);
        return new(text, [new(Public.Name, Public.Id, signature)]);
    }

    /// <summary>For its file.</summary>
    public string ToSecretText() => $"{Prefix}{Public.Name}+{Public.IdText}+{Convert.ToBase64String([NoteKey.Ed25519Type, .. _secret])}";
}
