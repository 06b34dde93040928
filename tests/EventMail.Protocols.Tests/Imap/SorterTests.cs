using System.Text;
using EventMail.Projections.Sorting;
using EventMail.Protocols.Imap.Sorting;
using Shouldly;

namespace EventMail.Protocols.Tests.Imap;

/// <summary>The order of <see cref="Sorter"/> against comparing whole texts.</summary>
public sealed class SorterTests
{
    private static readonly SortCriterion Subject = new(SortBy.Text, SortText.Subject);
    private static readonly SortCriterion From = new(SortBy.Text, SortText.From);
    private static readonly SortCriterion Date = new(SortBy.Date);

    // Few and many, nearly equal, one the beginning of the other, with NUL, longer than what is compared at once.
    private static readonly string[] Words =
        ["", "a", "a=00", "a=00=00b", "ab", "abcdef", "abcdefg", "abcdefg=00", "abcdefgh", "abcdefgh=00", "abcdefghi", new('x', 40), new string('x', 40) + "y", "=FF", "=C3=A4b"];

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(200)]
    [InlineData(3000)]
    public void Texts_are_in_the_order_of_their_octets_and_equal_ones_in_that_of_the_mailbox(int count)
    {
        var random = new Random(count);
        var keys = new SortKeys[count];
        for (var i = 0; i < count; i++)
            keys[i] = SortKeys.Of(Encoding.ASCII.GetBytes($"Date: {random.Next(1, 4)} Jan 2024 00:00:00 +0000\r\nSubject: =?utf-8?q?{Text(random)}?=\r\nFrom: =?utf-8?q?{Text(random)}?=@x\r\n"));
        SortCriterion[][] orders =
        [
            [Subject], [From], [Subject with { Reverse = true }], [From, Subject], [Date, Subject with { Reverse = true }],
            [From with { Reverse = true }, Date with { Reverse = true }, Subject], [Subject, Subject],
        ];
        foreach (var order in orders)
        {
            var sorter = new Sorter(order, new(keys));
            var sorted = sorter.Sort();
            sorted.ShouldBe(Expected(order, keys), string.Join(", ", order));
            // What tells later changes their places has the same order.
            for (var i = 1; i < sorted.Length; i++)
                sorter.Compare(sorted[i - 1], sorted[i]).ShouldBeNegative();
        }
    }

    [Fact]
    public void Texts_that_part_late_are_parted()
    {
        var keys = Enumerable.Range(0, 2000)
            .Select(i => SortKeys.Of(Encoding.ASCII.GetBytes($"Subject: {new string('s', i * 7 % 501)}{i % 3}\r\n"))).ToArray();
        new Sorter([Subject], new(keys)).Sort().ShouldBe(Expected([Subject], keys));
    }

    private static string Text(Random random) => string.Concat(Enumerable.Range(0, random.Next(1, 3)).Select(_ => Words[random.Next(Words.Length)]));

    private static uint[] Expected(SortCriterion[] order, SortKeys[] keys)
    {
        var numbers = Enumerable.Range(1, keys.Length).Select(i => (uint)i).ToArray();
        Array.Sort(numbers, (a, b) =>
        {
            foreach (var criterion in order)
            {
                var (x, y) = (keys[a - 1], keys[b - 1]);
                var compared = criterion.By == SortBy.Date ? x.SentDate(0).CompareTo(y.SentDate(0)) : x[criterion.Text].SequenceCompareTo(y[criterion.Text]);
                if (compared != 0)
                    return criterion.Reverse ? -compared : compared;
            }

            return a.CompareTo(b);
        });
        return numbers;
    }
}
