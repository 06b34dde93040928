using System.Security.Cryptography;
using System.Text;

namespace EventMail.Projections.Accounts;

/// <summary>
/// Passwords that we make: random letters and digits in groups. An app password has 160 bits, so a plain SHA-256 keeps it;
/// it works with mechanisms that send the password.
/// </summary>
public static class AppPasswords
{
    // RFC 4648 §6, in lower case: no letter is taken for a digit.
    private const string Alphabet = "abcdefghijklmnopqrstuvwxyz234567";
    private const int Group = 4;

    /// <summary>For a person to type once: 100 bits.</summary>
    public static string NewPassword() => Grouped(20);

    public static string NewAppPassword() => Grouped(32);

    /// <summary>An account's id: 8 of the same letters and digits.</summary>
    public static string NewAccountId() => RandomNumberGenerator.GetString(Alphabet, 8);

    /// <summary>The id that these bytes lead to, some account's or nobody's.</summary>
    internal static string AccountIdOf(ReadOnlySpan<byte> bytes) =>
        string.Create(8, bytes, static (id, from) =>
        {
            for (var i = 0; i < id.Length; i++)
                id[i] = Alphabet[from[i] % Alphabet.Length];
        });

    /// <summary>Typed with or without the hyphens.</summary>
    internal static byte[] Canonical(ReadOnlySpan<byte> password)
    {
        var kept = new byte[password.Length];
        var length = 0;
        foreach (var b in password)
        {
            if (b is not ((byte)'-' or (byte)' '))
                kept[length++] = b;
        }
        return kept[..length];
    }

    internal static string Sha256Of(string appPassword) =>
        Convert.ToHexStringLower(SHA256.HashData(Canonical(Encoding.ASCII.GetBytes(appPassword))));

    private static string Grouped(int letters)
    {
        var password = new StringBuilder(RandomNumberGenerator.GetString(Alphabet, letters));
        for (var at = letters - Group; at > 0; at -= Group)
            password.Insert(at, '-');
        return password.ToString();
    }
}
