using System.Text;
using EventMail.Domain;
using EventMail.Projections;
using EventMail.Projections.Accounts;
using EventMail.Projections.Mailboxes;
using EventMail.Protocols.Smtp;
using EventMail.Protocols.Smtp.Data;

namespace EventMail.Protocols.Tests.Smtp;

/// <summary>
/// A destination in memory. In example.org there are alice and bob, their alias team, frozen (suspended), full (over quota) and
/// small, who has room for 1,000 bytes.
/// </summary>
internal sealed class RecordingDestination : ISmtpDestination
{
    private readonly List<Delivered> _delivered = [];

    public sealed record Delivered(IReadOnlyList<LocalRecipient> Recipients, string ReversePath, byte[] Bytes, Actor Actor, string Cause)
    {
        public string Text => Encoding.Latin1.GetString(Bytes);

        /// <summary>What the client sent: everything behind our own fields.</summary>
        public string Sent => Text[TraceLength..];

        public string Trace => Text[..TraceLength];

        private int TraceLength
        {
            get
            {
                var date = Text.IndexOf(";\r\n\t", StringComparison.Ordinal);
                return Text.IndexOf("\r\n", date + 4, StringComparison.Ordinal) + 2;
            }
        }
    }

    /// <summary>Thrown by a delivery, for a store that is out of reach.</summary>
    public Exception? Fault { get; set; }

    /// <summary>Thrown by a write, for a full disk.</summary>
    public Exception? WriteFault { get; set; }

    /// <summary>Asked before a delivery takes place.</summary>
    public Func<IReadOnlyList<LocalRecipient>, Rejection?> Judge { get; set; } = _ => null;

    /// <summary>A delivery waits for it.</summary>
    public Task Gate { get; set; } = Task.CompletedTask;

    public int Open { get; private set; }

    public IReadOnlyList<Delivered> Deliveries
    {
        get
        {
            lock (_delivered)
                return [.. _delivered];
        }
    }

    public ValueTask<RecipientAnswer> ResolveAsync(string localPart, string domain, long size, CancellationToken cancel)
    {
        if (domain.Length > 0 && !domain.Equals("example.org", StringComparison.OrdinalIgnoreCase))
            return Answer(RecipientStatus.NotLocalDomain);
        return localPart.ToLowerInvariant().Split('+')[0] switch
        {
            "alice" or "alice smith" => Answer(RecipientStatus.Local, "alice"),
            "bob" => Answer(RecipientStatus.Local, "bob"),
            "team" => Answer(RecipientStatus.Local, "alice", "bob"),
            "postmaster" => Answer(RecipientStatus.Local, "alice"),
            "jürgen" => Answer(RecipientStatus.Local, "jürgen"),
            "frozen" => Answer(RecipientStatus.Suspended),
            "full" => Answer(RecipientStatus.OverQuota),
            "small" => size > 1000 ? Answer(RecipientStatus.OverQuota) : Answer(RecipientStatus.Local, "small"),
            "broken" => throw new InvalidOperationException("The directory is out of reach."),
            _ when domain.Length == 0 => Answer(RecipientStatus.NotLocalDomain),
            _ => Answer(RecipientStatus.Unknown),
        };

        static ValueTask<RecipientAnswer> Answer(RecipientStatus status, params string[] accounts) =>
            new(new RecipientAnswer(status, [.. accounts.Select(name => new LocalRecipient("id-" + name, name + "@example.org", name))]));
    }

    /// <summary>Asked when a message is whole.</summary>
    public Func<SmtpEnvelope, SmtpReply?> Check { get; set; } = _ => null;

    public ISmtpMessage Begin(SmtpEnvelope envelope)
    {
        Open++;
        return new Message(this, envelope);
    }

    private sealed class Message(RecordingDestination owner, SmtpEnvelope envelope) : ISmtpMessage
    {
        private readonly MemoryStream _bytes = new();
        private bool _complete;

        public string? MessageId => _complete ? "test@example.com" : null;

        public ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancel)
        {
            if (owner.WriteFault is not null)
                throw owner.WriteFault;
            _complete.ShouldBeFalse();
            return _bytes.WriteAsync(bytes, cancel);
        }

        public ValueTask<SmtpReply?> CompleteAsync(CancellationToken cancel)
        {
            _complete = true;
            return new(owner.Check(envelope));
        }

        public async Task<Rejection?> DeliverAsync(
            IReadOnlyList<LocalRecipient> recipients, QuotaRule rule, string reversePath, Actor actor, string cause, CancellationToken cancel)
        {
            _complete.ShouldBeTrue();
            await owner.Gate;
            if (owner.Fault is not null)
                throw owner.Fault;
            var full = recipients.Count(recipient => recipient.Account == "id-small" && _bytes.Length > 1000);
            if (full > 0 && (full == recipients.Count || rule == QuotaRule.EveryoneFits))
                return Rejection.OverQuota;
            if (owner.Judge(recipients) is { } rejection)
                return rejection;
            lock (owner._delivered)
                owner._delivered.Add(new(recipients, reversePath, [.. TraceFields.Write(envelope), .. _bytes.ToArray()], actor, cause));
            return null;
        }

        public ValueTask DisposeAsync()
        {
            owner.Open--;
            return default;
        }
    }
}
