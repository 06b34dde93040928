using System.Security.Cryptography;

namespace EventMail.EventStore;

/// <summary>
/// Random nonces. They are drawn many at a time, since a draw costs as much as sealing a few addresses, and each is handed out once: what is drawn is the
/// thread's own, and wiped as it goes.
/// </summary>
internal static class Nonces
{
    private const int Drawn = 64 * AesBox.NonceBytes;

    [ThreadStatic]
    private static byte[]? s_drawn;

    [ThreadStatic]
    private static int s_left;

    /// <param name="nonce">As long as a nonce is.</param>
    public static void Next(Span<byte> nonce)
    {
        var drawn = s_drawn ??= new byte[Drawn];
        if (s_left == 0)
        {
            RandomNumberGenerator.Fill(drawn);
            s_left = Drawn;
        }
        s_left -= AesBox.NonceBytes;
        var next = drawn.AsSpan(s_left, AesBox.NonceBytes);
        next.CopyTo(nonce);
        next.Clear();
    }
}
