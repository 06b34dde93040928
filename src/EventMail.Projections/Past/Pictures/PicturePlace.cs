using System.Numerics;
using EventMail.Domain.Mailboxes;

namespace EventMail.Projections.Past;

/// <summary>
/// Where a picture stands among those since a whole one. As in a Fenwick tree, the changes of the n-th are those since the one that has the
/// lowest 1 of n's binary digits less: of a thousand pictures at most ten are read for what became of the messages, and a change is stored
/// five times on average.
/// </summary>
/// <param name="Nth">Since the whole one, which is the 0th.</param>
/// <param name="Began">The whole one's version.</param>
/// <param name="StandsOn">The versions of the pictures whose changes come before its own, the earliest first.</param>
/// <param name="Cost">What is read to open it, in messages.</param>
internal sealed record PicturePlace(long Version, int Nth, long Began, long[] StandsOn, long Cost)
{
    /// <summary>What a row costs that has no message, in messages.</summary>
    public const long CostOfRow = 32;

    public static PicturePlace Whole(long version) => new(version, 0, version, [], CostOfRow);

    public PicturePlace Next(long version) => new(version, Nth + 1, Began, Changing[..^Taken], Cost + CostOfRow);

    public PicturePlace With(IReadOnlyList<Chunk> came) => this with { Cost = Cost + came.Sum(chunk => chunk.Count) };

    /// <summary>The versions of the pictures whose changes are part of the next one's, the earliest first.</summary>
    public long[] TakenInByNext => Changing[^Taken..];

    // Those whose changes make this one; nothing had changed in the whole one.
    private long[] Changing => Nth == 0 ? [] : [.. StandsOn, Version];

    private int Taken => BitOperations.TrailingZeroCount(Nth + 1);
}
