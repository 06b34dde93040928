using System.Text;
using EventMail.Protocols.Smtp.Data;

namespace EventMail.Protocols.Tests.Smtp;

public sealed class HopCounterTests
{
    [Theory]
    [InlineData("", 0)]
    [InlineData("Received: x\r\nReceived: y\r\n\r\nReceived: body\r\n", 2)]
    [InlineData("rECEIVED:x\r\n z\r\nX-Received: y\r\nReceivedx: y\r\n Received: folded\r\nReceived: z", 2)]
    [InlineData("Received: a\nReceived: b\n\nReceived: c\n", 2)]
    [InlineData("\r\nReceived: body\r\n", 0)]
    [InlineData("Receive\r\nd: x\r\nReceived", 0)]
    public void Received_fields_of_the_header_are_counted_whatever_the_pieces(string message, int hops)
    {
        var bytes = Encoding.ASCII.GetBytes(message);
        for (var size = 1; size <= bytes.Length + 1; size++)
        {
            var counter = new HopCounter();
            foreach (var piece in bytes.Chunk(size))
                counter.Feed(piece);
            counter.Count.ShouldBe(hops);
        }
    }
}
