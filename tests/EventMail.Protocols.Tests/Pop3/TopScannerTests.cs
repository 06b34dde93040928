using System.Text;
using EventMail.Protocols.Pop3;

namespace EventMail.Protocols.Tests.Pop3;

public class TopScannerTests
{
    private const string Message = "A: 1\r\nB: 2\r\n\r\none\r\n\r\nthree\r\n";

    [Theory]
    [InlineData(Message, 0, "A: 1\r\nB: 2\r\n\r\n")]
    [InlineData(Message, 1, "A: 1\r\nB: 2\r\n\r\none\r\n")]
    [InlineData(Message, 2, "A: 1\r\nB: 2\r\n\r\none\r\n\r\n")]
    [InlineData(Message, 3, Message)]
    [InlineData(Message, 1000, Message)]
    [InlineData("A: 1\r\n", 0, "A: 1\r\n")]
    [InlineData("\r\nbody\r\nmore", 1, "\r\nbody\r\n")]
    [InlineData("A: 1\n\nbody\nmore\n", 1, "A: 1\n\nbody\n")]
    [InlineData("A: 1\r\n\r\r\n\r\nbody", 0, "A: 1\r\n\r\r\n\r\n")]
    [InlineData("", 5, "")]
    public void The_header_the_blank_line_and_so_many_lines_of_the_body_are_taken_in_pieces_of_any_size(string message, int lines, string top)
    {
        for (var size = 1; size <= message.Length + 1; size++)
        {
            var scanner = new TopScanner(lines);
            var taken = new StringBuilder();
            foreach (var piece in Encoding.ASCII.GetBytes(message).Chunk(size))
            {
                taken.Append(Encoding.ASCII.GetString(piece, 0, scanner.Take(piece)));
            }

            taken.ToString().ShouldBe(top, $"in pieces of {size}");
        }
    }
}
