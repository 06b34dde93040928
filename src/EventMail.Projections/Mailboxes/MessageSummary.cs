using EventMail.Domain.Messages;

namespace EventMail.Projections.Mailboxes;

/// <summary>What IMAP is asked about a message most often, derived once from its content and ready to send.</summary>
public readonly struct MessageSummary
{
    /// <summary>ENVELOPE's parenthesised list (RFC 9051 §7.5.2).</summary>
    public ReadOnlyMemory<byte> Envelope => throw new NotSupportedException();

    /// <summary>BODYSTRUCTURE's list, with extension data.</summary>
    public ReadOnlyMemory<byte> BodyStructure => throw new NotSupportedException();

    /// <summary>BODY's list: the same without extension data.</summary>
    public ReadOnlyMemory<byte> Body => throw new NotSupportedException();

    /// <summary>Where the parts lie. Read from its stored form on each call: keep it while a command needs it.</summary>
    public PartMap Parts => throw new NotSupportedException();

    /// <summary>
    /// The raw fields of the message's header whose names <see cref="IsCachedField"/> knows, as they stand there, in their order,
    /// each with its line ends; null when they were too long to keep.
    /// </summary>
    public ReadOnlyMemory<byte>? HeaderLines => throw new NotSupportedException();

    /// <summary>True for a field that <see cref="HeaderLines"/> has if the message has it. Case-insensitive.</summary>
    public static bool IsCachedField(ReadOnlySpan<byte> name) => throw new NotSupportedException();
}
