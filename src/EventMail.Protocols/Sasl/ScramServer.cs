using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using EventMail.Domain.Accounts;

namespace EventMail.Protocols.Sasl;

/// <summary>What a client asked for in its first message (RFC 5802 §5.1).</summary>
/// <param name="Header">gs2-header: what c= must repeat.</param>
/// <param name="Binding">'n' none, 'y' the client could but believes that we cannot, 'p' the binding of the name.</param>
internal sealed record ScramFirst(string Header, char Binding, string BindingName, string Authorization, string User, string Nonce, string Bare);

/// <summary>The server's side of SCRAM (RFC 5802, RFC 7677) without any I/O: messages in, messages out. Which hash it is, the keys' length tells.</summary>
internal static class ScramServer
{
    /// <summary>Characters of a client's nonce.</summary>
    public const int MaxNonce = 512;

    public static string NewNonce() => Convert.ToBase64String(RandomNumberGenerator.GetBytes(18));

    // client-first-message = gs2-header client-first-message-bare
    // gs2-header           = gs2-cbind-flag "," [ "a=" saslname ] ","
    // gs2-cbind-flag       = ("p=" cb-name) / "n" / "y"
    // client-first-message-bare = [reserved-mext ","] username "," nonce ["," extensions]
    public static bool TryReadFirst(ReadOnlySpan<byte> message, [NotNullWhen(true)] out ScramFirst? first)
    {
        first = null;
        if (!SaslText.TryRead(message, out var text))
        {
            return false;
        }

        var parts = text.Split(',');
        if (parts.Length < 4)
        {
            return false;
        }

        char binding;
        var bindingName = "";
        switch (parts[0])
        {
            case "n" or "y":
                binding = parts[0][0];
                break;
            case ['p', '=', .. { Length: > 0 } name]:
                (binding, bindingName) = ('p', name);
                break;
            default:
                return false;
        }

        var authorization = "";
        if (parts[1].Length > 0 && !(parts[1] is ['a', '=', .. var a] && SaslText.TryUnescapeName(a, out authorization)))
        {
            return false;
        }

        // "m=" would be a mandatory extension that we do not know.
        if (parts[2] is not ['n', '=', .. var user] || !SaslText.TryUnescapeName(user, out var name2) || name2.Length == 0
            || parts[3] is not ['r', '=', .. { Length: > 0 and <= MaxNonce } nonce] || !IsPrintable(nonce))
        {
            return false;
        }

        var header = $"{parts[0]},{parts[1]},";
        first = new(header, binding, bindingName, authorization, name2, nonce, text[header.Length..]);
        return true;
    }

    /// <summary>server-first-message = nonce "," salt "," iteration-count</summary>
    public static string ServerFirst(ScramFirst first, string serverNonce, ScramKeys keys) => string.Create(
        CultureInfo.InvariantCulture, $"r={first.Nonce}{serverNonce},s={Convert.ToBase64String(keys.Salt)},i={keys.Iterations}");

    /// <summary>
    /// client-final-message = channel-binding "," nonce ["," extensions] "," proof. Splits off the proof; false when it is not
    /// one, or not this exchange's.
    /// </summary>
    /// <param name="withoutProof">What is signed.</param>
    /// <param name="binding">c= decoded.</param>
    public static bool TryReadFinal(
        ReadOnlySpan<byte> message, string nonce, [NotNullWhen(true)] out string? withoutProof, [NotNullWhen(true)] out byte[]? binding,
        [NotNullWhen(true)] out byte[]? proof)
    {
        (withoutProof, binding, proof) = (null, null, null);
        if (!SaslText.TryRead(message, out var text))
        {
            return false;
        }

        var parts = text.Split(',');
        if (parts.Length < 3 || parts[0] is not ['c', '=', .. var c] || parts[1] is not ['r', '=', .. var r] || r != nonce
            || parts[^1] is not ['p', '=', .. var p])
        {
            return false;
        }

        withoutProof = text[..^(parts[^1].Length + 1)];
        binding = FromBase64(c);
        proof = FromBase64(p);
        return binding is not null && proof is { Length: SHA256.HashSizeInBytes or SHA1.HashSizeInBytes };
    }

    /// <summary>H(proof XOR HMAC(StoredKey, AuthMessage)) = StoredKey, in constant time.</summary>
    public static bool IsRight(ScramKeys keys, string authMessage, ReadOnlySpan<byte> proof)
    {
        if (proof.Length != keys.StoredKey.Length)
        {
            return false;
        }

        var hash = HashOf(keys);
        var key = CryptographicOperations.HmacData(hash, keys.StoredKey, Encoding.UTF8.GetBytes(authMessage));
        for (var i = 0; i < key.Length; i++)
        {
            key[i] ^= proof[i];
        }

        return CryptographicOperations.FixedTimeEquals(CryptographicOperations.HashData(hash, key), keys.StoredKey);
    }

    /// <summary>server-final-message = verifier</summary>
    public static string ServerFinal(ScramKeys keys, string authMessage) =>
        $"v={Convert.ToBase64String(CryptographicOperations.HmacData(HashOf(keys), keys.ServerKey, Encoding.UTF8.GetBytes(authMessage)))}";

    private static HashAlgorithmName HashOf(ScramKeys keys) =>
        keys.StoredKey.Length == SHA1.HashSizeInBytes ? HashAlgorithmName.SHA1 : HashAlgorithmName.SHA256;

    // printable = %x21-2B / %x2D-7E
    private static bool IsPrintable(string nonce) => !nonce.AsSpan().ContainsAnyExceptInRange('!', '~');

    private static byte[]? FromBase64(string text)
    {
        var bytes = new byte[text.Length / 4 * 3];
        return text.Length % 4 == 0 && !text.AsSpan().ContainsAny(" \t\r\n") && Convert.TryFromBase64String(text, bytes, out var length)
            ? bytes[..length]
            : null;
    }
}
