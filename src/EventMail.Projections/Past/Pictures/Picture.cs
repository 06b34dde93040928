using EventMail.Domain.Mailboxes;

namespace EventMail.Projections.Past;

/// <summary>A mailbox as it was, and how its chunks are stored, in their order.</summary>
internal sealed record Picture(MailboxState State, IReadOnlyList<StoredChunk> Chunks);

/// <summary>A chunk of a picture.</summary>
/// <param name="Version">Of the first picture that has it.</param>
/// <param name="Whole">What it is stored as marks on: the same messages at <paramref name="WholeAt"/>; itself, when it is stored whole.</param>
internal sealed record StoredChunk(Chunk Chunk, long Version, Chunk Whole, long WholeAt);
