using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace EventMail.Projections.Accounts;

/// <summary>The cost of a hash. The defaults are the security guide's.</summary>
/// <param name="Iterations">t</param>
/// <param name="MemoryKiB">m</param>
/// <param name="Parallelism">p: lanes, each a thread while it hashes.</param>
public sealed record Argon2Parameters(int Iterations = 3, int MemoryKiB = 64 * 1024, int Parallelism = 4);

/// <summary>Argon2id (RFC 9106) by the reference library, as PHC strings: $argon2id$v=19$m=65536,t=3,p=4$salt$hash.</summary>
public static partial class Argon2
{
    public const int SaltBytes = 16;
    public const int HashBytes = 32;

    private const string Library = "libargon2.so.1";
    private const int Ok = 0;
    private const int VerifyMismatch = -35;
    private const int Version = 0x13;

    /// <exception cref="Argon2MissingException">The library is not installed; the message says what to do.</exception>
    public static void EnsureAvailable()
    {
        if (!NativeLibrary.TryLoad(Library, out _))
            throw new Argon2MissingException();
    }

    /// <summary>Blocks for as long as the hash takes. The salt is random.</summary>
    public static string Hash(ReadOnlySpan<byte> password, Argon2Parameters parameters)
    {
        Span<byte> salt = stackalloc byte[SaltBytes];
        RandomNumberGenerator.Fill(salt);
        Span<byte> hash = stackalloc byte[HashBytes];
        int error;
        try
        {
            error = argon2id_hash_raw(
                (uint)parameters.Iterations, (uint)parameters.MemoryKiB, (uint)parameters.Parallelism,
                password, (nuint)password.Length, salt, SaltBytes, hash, HashBytes);
        }
        catch (DllNotFoundException)
        {
            throw new Argon2MissingException();
        }
        return error == Ok ? Phc(parameters, salt, hash) : throw Failed(error);
    }

    /// <summary>Blocks for as long as the hash takes. Compares in constant time.</summary>
    /// <exception cref="CryptographicException">The string is not an Argon2id PHC string, or there is not enough memory.</exception>
    public static bool Verify(string phc, ReadOnlySpan<byte> password)
    {
        var encoded = new byte[Encoding.ASCII.GetByteCount(phc) + 1]; // the library wants a final NUL
        Encoding.ASCII.GetBytes(phc, encoded);
        int error;
        try
        {
            error = argon2id_verify(encoded, password, (nuint)password.Length);
        }
        catch (DllNotFoundException)
        {
            throw new Argon2MissingException();
        }
        return error switch
        {
            Ok => true,
            VerifyMismatch => false,
            _ => throw Failed(error),
        };
    }

    /// <summary>A hash that no password fits and that takes as long to verify as a real one.</summary>
    public static string Unmatchable(Argon2Parameters parameters) =>
        Phc(parameters, RandomNumberGenerator.GetBytes(SaltBytes), RandomNumberGenerator.GetBytes(HashBytes));

    /// <summary>What a PHC string was made with, or null when it is none of ours.</summary>
    public static Argon2Parameters? ParametersOf(string phc)
    {
        // $argon2id$v=19$m=65536,t=3,p=4$salt$hash
        var parts = phc.Split('$');
        if (parts is not ["", "argon2id", "v=19", var costs, _, _])
            return null;
        var values = costs.Split(',');
        return values is [['m', '=', .. var m], ['t', '=', .. var t], ['p', '=', .. var p]]
            && int.TryParse(m, NumberStyles.None, CultureInfo.InvariantCulture, out var memory)
            && int.TryParse(t, NumberStyles.None, CultureInfo.InvariantCulture, out var iterations)
            && int.TryParse(p, NumberStyles.None, CultureInfo.InvariantCulture, out var parallelism)
                ? new(iterations, memory, parallelism)
                : null;
    }

    private static string Phc(Argon2Parameters parameters, ReadOnlySpan<byte> salt, ReadOnlySpan<byte> hash) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"$argon2id$v={Version}$m={parameters.MemoryKiB},t={parameters.Iterations},p={parameters.Parallelism}${Base64(salt)}${Base64(hash)}");

    // PHC strings leave the padding out.
    private static string Base64(ReadOnlySpan<byte> bytes) => Convert.ToBase64String(bytes).TrimEnd('=');

    private static CryptographicException Failed(int error) =>
        new($"Argon2 failed: {Marshal.PtrToStringUTF8(argon2_error_message(error))}");

    [LibraryImport(Library)]
    private static partial int argon2id_hash_raw(
        uint iterations, uint memoryKiB, uint parallelism, ReadOnlySpan<byte> password, nuint passwordLength,
        ReadOnlySpan<byte> salt, nuint saltLength, Span<byte> hash, nuint hashLength);

    [LibraryImport(Library)]
    private static partial int argon2id_verify(ReadOnlySpan<byte> encoded, ReadOnlySpan<byte> password, nuint passwordLength);

    [LibraryImport(Library)]
    private static partial IntPtr argon2_error_message(int error);
}

public sealed class Argon2MissingException()
    : Exception("libargon2.so.1 is missing: passwords cannot be hashed. Install it with: apt-get install libargon2-1");
