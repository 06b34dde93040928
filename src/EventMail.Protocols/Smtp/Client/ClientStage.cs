namespace EventMail.Protocols.Smtp.Client;

/// <summary>Where something was decided: the words of <see cref="Domain.Deliveries.DeliveryAttempted.Stage"/>.</summary>
public static class ClientStage
{
    public const string Connect = "connect";
    public const string Greeting = "greeting";
    public const string Ehlo = "ehlo";
    public const string StartTls = "starttls";
    public const string Auth = "auth";
    public const string Mail = "mail";
    public const string Rcpt = "rcpt";
    public const string Data = "data";
    public const string Final = "final";
}
