namespace EventMail.Protocols.Smtp.Syntax;

/// <summary>The priority of MT-PRIORITY and of the field MT-Priority (RFC 6710 §7, RFC 6758 §4).</summary>
internal static class MessagePriority
{
    /// <summary>priority-value = (["-"] NZDIGIT) / "0"; null for anything else.</summary>
    public static int? Read(ReadOnlySpan<byte> value) => value switch
    {
        [(byte)'0'] => 0,
        [>= (byte)'1' and <= (byte)'9'] => value[0] - '0',
        [(byte)'-', >= (byte)'1' and <= (byte)'9'] => '0' - value[1],
        _ => null,
    };
}
