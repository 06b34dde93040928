namespace EventMail.EventStore;

/// <summary>A key as it is kept in the database: encrypted by a wrapping key, which is not there.</summary>
/// <param name="WrappingKey">The wrapping key's number (the column kek).</param>
/// <param name="Octets">Nonce, ciphertext and tag (the column key).</param>
public readonly record struct WrappedKey(long WrappingKey, byte[] Octets);
