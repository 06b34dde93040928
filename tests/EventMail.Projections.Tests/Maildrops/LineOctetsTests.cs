using System.Text;
using EventMail.Projections.Maildrops;

namespace EventMail.Projections.Tests.Maildrops;

public class LineOctetsTests
{
    [Theory]
    [InlineData("", 0)]
    [InlineData("a\r\nb\r\n", 0)]
    [InlineData("a", 2)]
    [InlineData("a\r", 1)]
    [InlineData("a\nb\n", 2)]
    [InlineData("\n\n\r\n", 2)]
    [InlineData("a\rb\r\r\n", 0)]
    public void A_message_grows_by_what_its_lines_lack(string message, long surplus)
    {
        // Repeated so that the vectors see it at every offset, in pieces that part it everywhere.
        foreach (var padding in new[] { 0, 1, 30, 31, 32, 33, 100 })
        {
            var octets = Encoding.ASCII.GetBytes(new string('x', padding) + message);
            for (var size = 1; size <= octets.Length + 1; size++)
            {
                var counter = new LineOctets();
                foreach (var piece in octets.Chunk(size))
                {
                    counter.Feed(piece);
                }

                counter.Surplus.ShouldBe(message.Length == 0 && padding > 0 ? 2 : surplus, $"{padding} before it, pieces of {size}");
            }
        }
    }
}
