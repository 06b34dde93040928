using EventMail.Domain.Mailboxes;
using FsCheck;
using FsCheck.Fluent;

namespace EventMail.Domain.Tests.Mailboxes;

public class SegmentFormatTests
{
    [Fact]
    public void A_chunk_is_read_as_it_was_written() => Properties.Hold(Properties.Steps, steps =>
    {
        var walk = new MailboxWalk(scale: 500);
        foreach (var step in steps)
            walk.Take(step);
        var chunks = new List<Chunk>();
        for (var i = 0; i < walk.View.ChunkCount; i++)
        {
            SegmentFormat.TryDecode(SegmentFormat.Encode(walk.View.ChunkAt(i)), out var chunk).ShouldBeTrue();
            chunks.Add(chunk!);
        }
        MailboxWalk.Agree(
            MailboxView.FromChunks(chunks, walk.View.UidNext, walk.State.Version, walk.View.Flags), walk.Naive, walk.State.Version);
    }, tests: 60, size: 60);

    [Fact]
    public void Extreme_values_survive()
    {
        MessageRow[] rows =
        [
            new(1, ulong.MaxValue, long.MaxValue, uint.MaxValue, long.MinValue, long.MaxValue, uint.MaxValue),
            new(7, 0, 1, 0, long.MaxValue, 0, 0),
            new(uint.MaxValue, 1, 2, 5, -1, 1, 1),
        ];
        SegmentFormat.TryDecode(SegmentFormat.Encode(Chunk.Of(rows)), out var chunk).ShouldBeTrue();
        Enumerable.Range(0, 3).Select(i => chunk![i]).ShouldBe(rows);
    }

    [Fact]
    public void A_delivered_message_takes_few_bytes() =>
        SegmentFormat.Encode(MailboxViewTests.Filled(1024).ChunkAt(0)).Length.ShouldBeLessThan(100);

    [Fact]
    public void Damaged_bytes_are_refused_without_an_exception()
    {
        var good = SegmentFormat.Encode(MailboxViewTests.Filled(300).WithFlags([new(@"\Seen", "5:9,30", "")], 400, FlagTable.Empty).ChunkAt(0));
        for (var length = 0; length < good.Length; length++)
            SegmentFormat.TryDecode(good.AsSpan(0, length), out _).ShouldBeFalse();
        Properties.Hold(
            Arb.From(from at in Gen.Choose(0, good.Length - 1) from value in Gen.Choose(0, 255) select (at, value)),
            change =>
            {
                var bad = good.ToArray();
                bad[change.at] = (byte)change.value;
                SegmentFormat.TryDecode(bad, out _);
            },
            tests: 3000);
    }
}
