using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Org.BouncyCastle.Math.EC.Rfc8032;

namespace EventMail.EventStore.Proof;

/// <summary>Who signs notes, as others know it (C2SP signed-note): a name and an Ed25519 public key.</summary>
public sealed class NoteKey
{
    // C2SP signed-note, "Signature types": Ed25519.
    internal const byte Ed25519Type = 0x01;

    private readonly byte[] _key;

    /// <exception cref="FormatException">The name or the key is none.</exception>
    public NoteKey(string name, ReadOnlySpan<byte> publicKey)
    {
        if (!IsName(name))
            throw new FormatException($"“{name}” is no name of a key: it is empty, or has a space or a plus sign");
        if (publicKey.Length != Ed25519.PublicKeySize)
            throw new FormatException($"an Ed25519 key has {Ed25519.PublicKeySize} octets, this one {publicKey.Length}");
        (Name, _key) = (name, publicKey.ToArray());
        Id = BinaryPrimitives.ReadUInt32BigEndian(SHA256.HashData([.. Encoding.UTF8.GetBytes(name), (byte)'\n', Ed25519Type, .. publicKey]));
    }

    public string Name { get; }

    /// <summary>The first four octets of the SHA-256 of name, line feed, type and key.</summary>
    public uint Id { get; }

    /// <summary>Reads `name+hash+key`, as <see cref="ToString"/> writes it.</summary>
    /// <exception cref="FormatException">It is something else, or its hash is not the key's.</exception>
    public static NoteKey Parse(string text)
    {
        var parts = text.Trim().Split('+', 3); // base64 has plus signs, too
        if (parts.Length != 3 || Base64.TryDecode(parts[2]) is not { } octets || octets.Length != 1 + Ed25519.PublicKeySize || octets[0] != Ed25519Type)
            throw new FormatException("this is no public key: it has the form name+hash+key with an Ed25519 key, as `eventmail audit key` prints it");
        var key = new NoteKey(parts[0], octets.AsSpan(1));
        return parts[1] == key.IdText
            ? key
            : throw new FormatException($"the public key of {key.Name} is damaged: its hash is {key.IdText}, and {parts[1]} stands there");
    }

    public bool Verifies(ReadOnlySpan<byte> text, byte[] signature) =>
        signature.Length == Ed25519.SignatureSize && Ed25519.Verify(signature, 0, _key, 0, text.ToArray(), 0, text.Length);

    public override string ToString() => $"{Name}+{IdText}+{Convert.ToBase64String([Ed25519Type, .. _key])}";

    internal static bool IsName(string name) => name.Length > 0 && name.All(c => !char.IsWhiteSpace(c) && !char.IsControl(c) && c != '+');

    internal string IdText => Id.ToString("x8", CultureInfo.InvariantCulture);
}
