namespace EventMail.Domain.Deliveries.Notifications;

/// <summary>How large the pieces of a notification may become. In octets where nothing else is said.</summary>
public static class NotificationLimits
{
    /// <summary>A longer message is returned as its header, also with RET=FULL (RFC 3461 §6.2).</summary>
    public const int ReturnedMessage = 256 * 1024;

    /// <summary>Of a longer header the fields that fit are returned.</summary>
    public const int ReturnedHeader = 64 * 1024;

    /// <summary>Of what a remote host said; the reply lines of RFC 5321 §4.5.3.1.5 have 512.</summary>
    public const int Diagnostic = 2000;

    /// <summary>Of the original's subject.</summary>
    public const int Subject = 200;

    /// <summary>Recipients that the text for people names; the report behind it names all.</summary>
    public const int NamedRecipients = 100;

    /// <summary>Ancestors in References: the first and the last ones.</summary>
    public const int References = 20;

    /// <summary>An address, a host's name or an identifier in a field; RFC 5322 §2.1.1: a line has 998.</summary>
    internal const int Token = 900;
}
