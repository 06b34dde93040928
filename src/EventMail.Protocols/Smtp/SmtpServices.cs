using EventMail.Protocols.Smtp.Faults;
using EventMail.Protocols.Smtp.Submission;
using EventMail.Protocols.Wire;
using Microsoft.Extensions.Logging;

namespace EventMail.Protocols.Smtp;

/// <summary>What the sessions of one port need from the server they belong to.</summary>
public sealed class SmtpServices(
    string hostname, string node, ISmtpDestination destination, SmtpLimits limits, TimeProvider clock, ILogger log)
{
    /// <summary>How the server calls itself in greetings and trace fields.</summary>
    public string Hostname { get; } = hostname;

    /// <summary>This host's name among those that share the database.</summary>
    public string Node { get; } = node;

    public SmtpRole Role { get; init; } = SmtpRole.Exchange;

    public ISmtpDestination Destination { get; } = destination;

    public SmtpLimits Limits { get; } = limits;

    public TimeProvider Clock { get; } = clock;

    public ILogger Log { get; } = log;

    /// <summary>Not null exactly where the role is <see cref="SmtpRole.Submission"/> or <see cref="SmtpRole.Capture"/>.</summary>
    public SubmissionServices? Submission { get; init; }

    /// <summary>Null for no limit.</summary>
    public CommandRateLimiter? RateLimiter { get; init; }

    /// <summary>Faults on demand, in capture mode; null: none are possible.</summary>
    public FaultTable? Faults { get; init; }

    internal SmtpReply Greeting => field ??= new($"220 {Hostname} {Role.Protocol} EventMail");

    internal SmtpReply Hello { get; } = new($"250 {hostname}");
}
