namespace EventMail.Host.Configuration;

/// <summary>Webhooks: `eventmail webhook add` makes them (docs/http.md).</summary>
public sealed record WebhookSettings
{
    /// <summary>How long a receiver may take to answer.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The waits between attempts at one event; behind the last one it is a dead letter, and the next event's turn.</summary>
    public Durations Schedule { get; init; } = new(
        TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(30), TimeSpan.FromMinutes(2), TimeSpan.FromMinutes(10), TimeSpan.FromMinutes(30), TimeSpan.FromHours(1));

    /// <summary>How often a Host looks whether it is to send in the place of another, and for dead letters that are to be tried again.</summary>
    public TimeSpan Poll { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Where webhooks may lead to besides the Internet, `127.0.0.0/8, ::1, 10.1.0.0/16`: whoever has a key of `write:webhooks` reaches what listens there.
    /// </summary>
    public string AllowedNetworks { get; init; } = "";
}
