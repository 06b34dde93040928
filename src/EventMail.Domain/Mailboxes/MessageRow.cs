namespace EventMail.Domain.Mailboxes;

/// <summary>What a mailbox knows of one message.</summary>
/// <param name="Flags">The mask of <see cref="FlagTable"/>.</param>
/// <param name="ModSeq">RFC 7162: the version of the last event that touched it.</param>
/// <param name="Size">Octets: RFC822.SIZE.</param>
/// <param name="InternalDate">Unix seconds.</param>
/// <param name="Content">The number of its content.</param>
/// <param name="SaveDate">Unix seconds, up to 2106: when it came into this mailbox (RFC 8514).</param>
public readonly record struct MessageRow(uint Uid, ulong Flags, long ModSeq, uint Size, long InternalDate, long Content, uint SaveDate);
