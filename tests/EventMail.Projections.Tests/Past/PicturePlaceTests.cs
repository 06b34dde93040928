using EventMail.Domain.Mailboxes;
using EventMail.Projections.Past;

namespace EventMail.Projections.Tests.Past;

public class PicturePlaceTests
{
    [Fact]
    public void A_picture_is_read_with_few_others_and_each_change_is_in_one_of_them()
    {
        // By version: the first step, and the last, whose changes its picture has.
        var held = new Dictionary<long, (long First, long Last)>();
        var place = PicturePlace.Whole(100);
        for (var n = 1; n <= 1000; n++)
        {
            var taken = place.TakenInByNext;
            var next = place.Next(100 + n);
            held[100 + n] = (taken.Length > 0 ? held[taken[0]].First : n, n);
            next.Nth.ShouldBe(n);
            next.Began.ShouldBe(100);
            next.Cost.ShouldBe((n + 1) * PicturePlace.CostOfRow);
            next.StandsOn.Length.ShouldBeLessThanOrEqualTo(9);

            var step = 0L;
            foreach (var version in (long[])[.. next.StandsOn, next.Version])
            {
                held[version].First.ShouldBe(step + 1);
                step = held[version].Last;
            }
            step.ShouldBe(n);
            place = next;
        }
    }

    [Fact]
    public void A_picture_is_whole_again_where_most_of_what_is_read_is_gone()
    {
        var state = MailboxState.Empty.Evolve(new MailboxCreated("INBOX", 1, null), 1, DateTimeOffset.UnixEpoch);
        var picture = Picture.Whole(state);
        var (whole, version) = (0, 1L);
        for (var i = 0; i < 100; i++)
        {
            var before = state;
            var first = state.UidNext;
            var uids = UidSet.OfRange(first, first + 1023);
            var numbers = Enumerable.Repeat(1L, 1024).ToArray();
            state = state.Evolve(new MessagesCopiedIn(Guid.Empty, false, uids.ToString(), uids.ToString(), numbers, numbers, numbers, []), ++version, DateTimeOffset.UnixEpoch);
            picture = Next(before, state);
            before = state;
            state = state.Evolve(new MessagesExpunged($"{first}:{first + 1000}", 1001, 1001, null), ++version, DateTimeOffset.UnixEpoch);
            picture = Next(before, state);
            picture.Place.Cost.ShouldBeLessThanOrEqualTo(2 * state.Messages + 34_000);
        }
        whole.ShouldBeInRange(2, 4);

        Picture Next(MailboxState before, MailboxState now)
        {
            var next = Picture.After(picture.Place, before, now, picture.Place.TakenInByNext.Select(_ => ViewChanges.None));
            if (next.Place.Nth == 0)
            {
                whole++;
                next.Came.Sum(chunk => chunk.Count).ShouldBe((int)now.Messages);
                next.Place.StandsOn.ShouldBeEmpty();
            }
            return next;
        }
    }
}
