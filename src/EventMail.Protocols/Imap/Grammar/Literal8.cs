namespace EventMail.Protocols.Imap.Grammar;

internal ref partial struct CommandParser
{
    /// <summary>literal8 = "~{" number ["+"] "}" CRLF *OCTET (RFC 4466 §6); the only place where a NUL may stand.</summary>
    public bool TryLiteral8(out ReadOnlySpan<byte> value)
    {
        value = default;
        if (!Rest.StartsWith("~{"u8))
            return false;
        _at++;
        return TryLiteral(out value);
    }
}
