namespace EventMail.Domain.Messages;

/// <summary>RFC 2045 §6.1. An unknown encoding is told apart because its content must not be interpreted.</summary>
public enum TransferEncoding : byte
{
    SevenBit,
    EightBit,
    Binary,
    QuotedPrintable,
    Base64,
    Unknown,
}

internal static class TransferEncodings
{
    public static TransferEncoding Find(ReadOnlySpan<byte> token) => token.Length switch
    {
        0 => TransferEncoding.SevenBit,
        _ when Ascii.EqualsIgnoreCase(token, "7bit"u8) => TransferEncoding.SevenBit,
        _ when Ascii.EqualsIgnoreCase(token, "8bit"u8) => TransferEncoding.EightBit,
        _ when Ascii.EqualsIgnoreCase(token, "base64"u8) => TransferEncoding.Base64,
        _ when Ascii.EqualsIgnoreCase(token, "quoted-printable"u8) => TransferEncoding.QuotedPrintable,
        _ when Ascii.EqualsIgnoreCase(token, "binary"u8) => TransferEncoding.Binary,
        _ => TransferEncoding.Unknown,
    };
}
