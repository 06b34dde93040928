using System.Text;
using EventMail.Domain.Messages;

namespace EventMail.Domain.Tests.Messages;

/// <summary>Past a limit nothing is refused or lost: the rest is opaque content with right offsets.</summary>
public class MessageLimitsTests
{
    [Fact]
    public void Containers_nested_too_deeply_are_opaque()
    {
        var text = new StringBuilder();
        for (var i = 0; i < 5; i++)
            text.Append($"Content-Type: multipart/mixed; boundary=b{i}\n\n--b{i}\n");
        text.Append("\nx\n");

        var message = MessageReader.Read(Wire.Bytes(text.ToString()), new MessageLimits { MaxNestingDepth = 3 });

        var deepest = message.Root.Parts.Single().Parts.Single();
        (deepest.IsOpaque, deepest.Kind, deepest.Parts.Count).ShouldBe((true, PartKind.Basic, 0));
        (deepest.BodyOffset + deepest.BodyLength).ShouldBe(message.Size);
        Wire.Body(message).ShouldContain("\"application\" \"octet-stream\"");
    }

    [Fact]
    public void Embedded_messages_count_as_nesting()
    {
        var text = string.Concat(Enumerable.Repeat("Content-Type: message/rfc822\n\n", 200)) + "Subject: x\n\n";

        var message = MessageReader.Read(Wire.Bytes(text));

        var depth = 0;
        for (var part = message.Root; part.EmbeddedMessage is not null; part = part.EmbeddedMessage)
            depth++;
        depth.ShouldBe(MessageLimits.Default.MaxNestingDepth - 1);
    }

    [Fact]
    public void Parts_past_the_limit_are_content_of_the_last_one()
    {
        var text = "Content-Type: multipart/mixed; boundary=b\n\n" + string.Concat(Enumerable.Repeat("--b\n\nx\n", 10)) + "--b--\n";

        var message = MessageReader.Read(Wire.Bytes(text), new MessageLimits { MaxParts = 4 });

        message.Root.Parts.Count.ShouldBe(3);
        message.Root.Parts[2].BodyLength.ShouldBe(1 + 7 * "\r\n--b\r\n\r\nx".Length);
    }

    [Fact]
    public void Header_bytes_past_the_limit_are_counted_and_not_kept()
    {
        var bytes = Wire.Bytes("Subject: short\nX-Long: " + new string('x', 5000) + "\nFrom: a@b\n\nbody");

        var message = MessageReader.Read(bytes, new MessageLimits { MaxHeaderBytes = 1000 });

        message.HeaderBytes.Length.ShouldBe(1000);
        message.Root.HeaderLength.ShouldBe(bytes.Length - 4);
        message.Root.HeaderFields.Length.ShouldBe(1);
        Wire.Envelope(message).ShouldStartWith("(NIL \"short\" NIL");
    }

    [Fact]
    public void Header_fields_past_the_limit_are_not_indexed()
    {
        var message = MessageReader.Read(Wire.Bytes("A: 1\nB: 2\nSubject: x\n\n"), new MessageLimits { MaxHeaderFields = 2 });

        message.Root.HeaderFields.Length.ShouldBe(2);
        message.Root.HeaderBytes.Length.ShouldBe((int)message.Root.HeaderLength);
    }

    [Fact]
    public void Parameters_past_the_limit_are_ignored()
    {
        var field = "Content-Type: text/plain" + string.Concat(Enumerable.Range(0, 500).Select(i => $"; p{i}={i}"));

        Wire.Read(field + "\n\n").Root.Parameters.Count.ShouldBe(MessageLimits.Default.MaxParameters);
    }

    [Fact]
    public void Addresses_past_the_limit_are_ignored()
    {
        var message = MessageReader.Read(Wire.Bytes("To: a@b, c@d, e@f\n\n"), new MessageLimits { MaxAddresses = 2 });

        message.Root.Envelope.To.Count.ShouldBe(2);
    }

    [Fact]
    public void Addresses_are_counted_over_a_whole_structure()
    {
        var part = "--b\nContent-Type: message/rfc822\n\nFrom: a@b, c@d\n\n";
        var text = "Content-Type: multipart/mixed; boundary=b\n\n" + part + part + part;

        var message = MessageReader.Read(Wire.Bytes(text), new MessageLimits { MaxAddresses = 7 });

        // From, Sender and Reply-To of the first part, From of the second.
        Wire.Body(message).Split("(NIL NIL \"").Length.ShouldBe(1 + 7);
        Wire.Envelope(message).ShouldBe("(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)");
    }

    [Fact]
    public void A_group_that_the_limit_cuts_is_closed()
    {
        var message = MessageReader.Read(Wire.Bytes("To: g: a@b, c@d, e@f;\n\n"), new MessageLimits { MaxAddresses = 2 });

        Wire.Envelope(message).ShouldContain("((NIL NIL \"g\" NIL)(NIL NIL \"a\" \"b\")(NIL NIL NIL NIL))");
    }

    [Fact]
    public void Strings_past_the_text_of_a_structure_are_empty()
    {
        var message = MessageReader.Read(
            Wire.Bytes("Subject: 12345\nMessage-ID: 123\nIn-Reply-To: \"\"\n\n"), new MessageLimits { MaxStructureText = 9 });

        Wire.Envelope(message).ShouldBe("(NIL \"12345\" NIL NIL NIL NIL NIL NIL \"\\\"\\\"\" \"\")");
    }

    [Fact]
    public void Long_boundaries_are_compared_by_their_beginning()
    {
        Read(new string('b', MessageLimits.Default.MaxBoundaryLength)).Count.ShouldBe(1);
        Read(new string('b', 300)).Select(p => p.BodyLength).ShouldBe([1, 0]);

        static IReadOnlyList<MessagePart> Read(string boundary) =>
            Wire.Read($"Content-Type: multipart/mixed; boundary={boundary}\n\n--{boundary}\n\nx\n--{boundary}--\n").Root.Parts;
    }

    [Fact]
    public void The_defaults_are_these()
    {
        var limits = MessageLimits.Default;

        (limits.MaxNestingDepth, limits.MaxParts, limits.MaxHeaderBytes, limits.MaxHeaderFields, limits.MaxParameters,
            limits.MaxAddresses, limits.MaxStructureText, limits.MaxBoundaryLength)
            .ShouldBe((100, 10_000, 1024 * 1024, 10_000, 128, 10_000, 512 * 1024, 250));
    }
}
