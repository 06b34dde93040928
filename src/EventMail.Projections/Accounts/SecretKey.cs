using System.Security.Cryptography;
using System.Text;
using EventMail.Domain.Accounts;

namespace EventMail.Projections.Accounts;

/// <summary>
/// A random key that is in no database: a file in the data folder that only its owner can read. It encrypts recoverable passwords
/// and makes the salts that SCRAM shows for unknown users and what clients see of messages' numbers. Hosts that share a database share a copy of the file.
/// </summary>
public sealed class SecretKey
{
    public const string FileName = "secret.key";

    private const int KeyBytes = 32;

    private readonly byte[] _encryption;
    private readonly byte[] _stranger;
    private readonly byte[] _objectIds;

    public SecretKey(ReadOnlySpan<byte> key)
    {
        _encryption = Derive(key, "recoverable passwords");
        _stranger = Derive(key, "salts of unknown users");
        _objectIds = Derive(key, "ids of objects");
        Id = Convert.ToHexStringLower(SHA256.HashData(_encryption).AsSpan(0, 4));
    }

    /// <summary>Tells keys apart without telling them.</summary>
    public string Id { get; }

    /// <summary>Reads the data folder's key; makes one on first use.</summary>
    /// <exception cref="InvalidDataException">The file is not a key.</exception>
    public static SecretKey Open(string dataFolder)
    {
        var path = Path.Combine(dataFolder, FileName);
        if (!File.Exists(path))
            Create(path);
        var key = File.ReadAllBytes(path);
        return key.Length == KeyBytes ? new(key) : throw new InvalidDataException($"{path} is not a key of {KeyBytes} bytes");
    }

    // Whole under its final name, or not there: a server and a command may both be first.
    private static void Create(string path)
    {
        var unfinished = $"{path}.{Environment.ProcessId}";
        var options = new FileStreamOptions
        {
            Mode = FileMode.Create,
            Access = FileAccess.Write,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        };
        using (var file = new FileStream(unfinished, options))
        {
            file.Write(RandomNumberGenerator.GetBytes(KeyBytes));
            file.Flush(flushToDisk: true);
        }
        try
        {
            File.Move(unfinished, path, overwrite: false);
        }
        catch (IOException) when (File.Exists(path))
        {
            // The other one's key counts.
            File.Delete(unfinished);
        }
    }

    public RecoverableSecret Encrypt(string account, ReadOnlySpan<byte> password)
    {
        var nonce = RandomNumberGenerator.GetBytes(AesGcm.NonceByteSizes.MaxSize);
        var ciphertext = new byte[password.Length];
        var tag = new byte[AesGcm.TagByteSizes.MaxSize];
        using var aes = new AesGcm(_encryption, tag.Length);
        aes.Encrypt(nonce, password, ciphertext, tag, Encoding.UTF8.GetBytes(account));
        return new(Id, nonce, ciphertext, tag);
    }

    /// <summary>Null when it was encrypted with another key.</summary>
    public byte[]? Decrypt(string account, RecoverableSecret secret)
    {
        if (secret.KeyId != Id)
            return null;
        var password = new byte[secret.Ciphertext.Length];
        try
        {
            using var aes = new AesGcm(_encryption, secret.Tag.Length);
            aes.Decrypt(secret.Nonce, secret.Ciphertext, secret.Tag, password, Encoding.UTF8.GetBytes(account));
        }
        catch (CryptographicException)
        {
            return null;
        }
        return password;
    }

    /// <summary>16 bytes that are always the same for a name, as a real user's salt is, and tell nothing.</summary>
    public byte[] SaltOfStranger(string name) => HMACSHA256.HashData(_stranger, Encoding.UTF8.GetBytes(name))[..16];

    /// <summary>16 bytes that are always the same for an account, for what its clients see of numbers that all accounts share.</summary>
    public byte[] ObjectIdKey(string account) => HMACSHA256.HashData(_objectIds, Encoding.UTF8.GetBytes(account))[..16];

    private static byte[] Derive(ReadOnlySpan<byte> key, string purpose)
    {
        var derived = new byte[KeyBytes];
        HKDF.DeriveKey(HashAlgorithmName.SHA256, key, derived, salt: [], info: Encoding.UTF8.GetBytes(purpose));
        return derived;
    }
}
