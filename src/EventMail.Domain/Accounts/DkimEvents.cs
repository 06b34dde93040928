namespace EventMail.Domain.Accounts;

// The keys that sign a domain's mail: on the domain's stream.

/// <summary>A key was made. It signs nothing before it is activated: its record must be in the DNS first.</summary>
/// <param name="Selector">Lower case. Never given twice in a domain (RFC 6376 §3.1).</param>
/// <param name="Algorithm">As in k= of its record: "rsa" or "ed25519".</param>
/// <param name="PublicKey">As in p= of its record, before base64.</param>
/// <param name="PrivateKey">PKCS #8, or the 32 octets of Ed25519, encrypted with the secret key of the data folder.</param>
public sealed record DkimKeyAdded(string Selector, string Algorithm, byte[] PublicKey, RecoverableSecret PrivateKey);

/// <summary>The key signs from now on.</summary>
public sealed record DkimKeyActivated(string Selector);

/// <summary>The key signs no more, for ever.</summary>
public sealed record DkimKeyRetired(string Selector);
