using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using EventMail.Protocols.Sasl;

namespace EventMail.Protocols.Smtp.Client.Auth;

/// <summary>What ties the login to the TLS connection.</summary>
/// <param name="Name">"tls-exporter" or "tls-server-end-point".</param>
internal sealed record ChannelBinding(string Name, byte[] Data);

/// <summary>
/// The client's side of SCRAM (RFC 5802, RFC 7677). The server proves that it knows the password's key, or it is none: nothing is
/// sent to one that cannot.
/// </summary>
internal sealed class ScramMechanism : ClientMechanism
{
    // RFC 5802 §5.1, RFC 7677 §4. With fewer a false server could try passwords cheaply.
    public const int MinIterations = 4096;

    private readonly HashAlgorithmName _hash;
    private readonly byte[] _password;
    private readonly byte[] _binding;
    private readonly string _nonce;
    private readonly string _bare;
    private readonly string _header;
    private readonly int _maxIterations;
    private byte[]? _expected;

    /// <param name="user">Prepared by SASLprep, as the password.</param>
    /// <param name="binding">For the -PLUS mechanisms.</param>
    /// <param name="couldBind">There is a binding, but the server does not offer -PLUS: it is told so, and notices when somebody lied.</param>
    public ScramMechanism(
        HashAlgorithmName hash, string user, string password, ChannelBinding? binding, bool couldBind, int maxIterations, string? nonce = null)
    {
        Name = $"SCRAM-{(hash == HashAlgorithmName.SHA256 ? "SHA-256" : "SHA-1")}{(binding is null ? "" : "-PLUS")}";
        _hash = hash;
        _password = Encoding.UTF8.GetBytes(password);
        _maxIterations = maxIterations;
        _nonce = nonce ?? ScramServer.NewNonce();
        _header = binding is not null ? $"p={binding.Name},," : couldBind ? "y,," : "n,,";
        _binding = binding?.Data ?? [];
        _bare = $"n={user.Replace("=", "=3D").Replace(",", "=2C")},r={_nonce}";
    }

    public override string Name { get; }

    public override byte[] Initial => Encoding.UTF8.GetBytes(_header + _bare);

    public override bool IsComplete => _proved;

    private bool _proved;

    public override byte[]? Respond(ReadOnlySpan<byte> challenge) =>
        !SaslText.TryRead(challenge, out var text) ? null : _expected is null ? Final(text) : Prove(text);

    // server-first-message = [reserved-mext ","] nonce "," salt "," iteration-count ["," extensions]
    private byte[]? Final(string first)
    {
        var parts = first.Split(',');
        if (parts.Length < 3 || parts[0] is not ['r', '=', .. var nonce] || parts[1] is not ['s', '=', .. var s] || parts[2] is not ['i', '=', .. var i]
            || !nonce.StartsWith(_nonce, StringComparison.Ordinal) || nonce.Length == _nonce.Length
            || !TryFromBase64(s, out var salt) || salt.Length == 0
            || !int.TryParse(i, NumberStyles.None, CultureInfo.InvariantCulture, out var iterations)
            || iterations < MinIterations || iterations > _maxIterations)
        {
            return null;
        }

        byte[] input = [.. Encoding.UTF8.GetBytes(_header), .. _binding];
        var withoutProof = $"c={Convert.ToBase64String(input)},r={nonce}";
        var authMessage = Encoding.UTF8.GetBytes($"{_bare},{first},{withoutProof}");
        var size = _hash == HashAlgorithmName.SHA256 ? SHA256.HashSizeInBytes : SHA1.HashSizeInBytes;
        var salted = Rfc2898DeriveBytes.Pbkdf2(_password, salt, iterations, _hash, size);
        var clientKey = CryptographicOperations.HmacData(_hash, salted, "Client Key"u8);
        var signature = CryptographicOperations.HmacData(_hash, CryptographicOperations.HashData(_hash, clientKey), authMessage);
        _expected = CryptographicOperations.HmacData(_hash, CryptographicOperations.HmacData(_hash, salted, "Server Key"u8), authMessage);
        for (var at = 0; at < clientKey.Length; at++)
        {
            clientKey[at] ^= signature[at];
        }

        return Encoding.UTF8.GetBytes($"{withoutProof},p={Convert.ToBase64String(clientKey)}");
    }

    // server-final-message = (server-error / verifier) ["," extensions]
    private byte[]? Prove(string final)
    {
        _proved = !_proved && final.Split(',')[0] is ['v', '=', .. var v] && TryFromBase64(v, out var signature)
            && CryptographicOperations.FixedTimeEquals(signature, _expected);
        return _proved ? [] : null;
    }

    private static bool TryFromBase64(string text, out byte[] bytes)
    {
        bytes = new byte[text.Length / 4 * 3];
        var right = Convert.TryFromBase64String(text, bytes, out var length);
        bytes = right ? bytes[..length] : [];
        return right;
    }
}
