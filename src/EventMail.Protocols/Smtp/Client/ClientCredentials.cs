namespace EventMail.Protocols.Smtp.Client;

/// <summary>Who we are at a smarthost. One of password and token file.</summary>
/// <param name="Password">For SCRAM, PLAIN, LOGIN and CRAM-MD5.</param>
/// <param name="TokenFile">
/// Holds an access token for OAUTHBEARER and XOAUTH2, read at each login, so that whoever renews tokens only has to write the file.
/// </param>
public sealed record ClientCredentials(string User, string? Password, string? TokenFile = null)
{
    /// <summary>No secret in logs.</summary>
    public override string ToString() => $"{User}, {(TokenFile is null ? "password" : "token")}";
}
