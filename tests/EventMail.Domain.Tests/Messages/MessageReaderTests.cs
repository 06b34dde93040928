using System.Text;
using EventMail.Domain.Messages;

namespace EventMail.Domain.Tests.Messages;

public class MessageReaderTests
{
    [Fact]
    public void A_header_ends_at_the_first_empty_line_whatever_the_line_ends() // RFC 5322 §2.1
    {
        foreach (var end in new[] { "\r\n", "\n" })
        {
            var root = MessageReader.Read(Encoding.ASCII.GetBytes($"A: 1{end}B: 2{end}{end}body{end}{end}more")).Root;

            root.HeaderLength.ShouldBe(8 + 3 * end.Length);
            root.BodyLength.ShouldBe(8 + 2 * end.Length);
            root.BodyLines.ShouldBe(2);
            root.HeaderFields.Length.ShouldBe(2);
        }
    }

    [Fact]
    public void A_carriage_return_alone_is_content()
    {
        var root = MessageReader.Read("A: 1\rB: 2\r\n\r\nx\ry\r\n"u8).Root;

        root.HeaderFields.Length.ShouldBe(1);
        root.BodyLines.ShouldBe(1);
    }

    [Fact]
    public void Folded_lines_belong_to_their_field() // RFC 5322 §2.2.3
    {
        var root = Wire.Read("A: 1\n 2\n\t3\nB: 4\n\n").Root;

        root.HeaderFields.Length.ShouldBe(2);
        root.HeaderFields[0].Length.ShouldBe("A: 1\r\n 2\r\n\t3\r\n".Length);
    }

    [Fact]
    public void A_line_of_white_space_does_not_end_the_header() =>
        Wire.Read("A: 1\n \nB: 2\n\nbody").Root.HeaderFields.Length.ShouldBe(2);

    [Fact]
    public void Content_fields_count_only_with_MIME_Version_or_Content_Type() // RFC 2045 §4
    {
        Wire.Read("Content-Transfer-Encoding: base64\nContent-ID: <x>\n\n").Root.TransferEncoding.ShouldBe(TransferEncoding.SevenBit);
        Wire.Read("MIME-Version: 1.0\nContent-Transfer-Encoding: base64\n\n").Root.TransferEncoding.ShouldBe(TransferEncoding.Base64);
        Wire.Read("Content-Type: text/html\nContent-Transfer-Encoding: base64\n\n").Root.TransferEncoding.ShouldBe(TransferEncoding.Base64);
    }

    [Theory]
    [InlineData("")]
    [InlineData("Content-Type: rubbish\n")]
    [InlineData("Content-Type: text\n")]
    [InlineData("Content-Type: /plain\n")]
    public void Without_a_valid_Content_Type_a_part_is_text_plain(string field) // RFC 2045 §5.2
    {
        var root = Wire.Read("MIME-Version: 1.0\n" + field + "\nx").Root;

        (root.MediaType, root.Subtype, root.Kind, root.HasMediaType).ShouldBe(("text", "plain", PartKind.Text, false));
    }

    [Fact]
    public void Inside_a_digest_the_default_is_message_rfc822() // RFC 2046 §5.1.5
    {
        var part = Wire.Read("Content-Type: multipart/digest; boundary=b\n\n--b\n\nSubject: x\n\ny\n--b--\n").Root.Parts.Single();

        part.Kind.ShouldBe(PartKind.Message);
        part.EmbeddedMessage!.Envelope.Subject.ToString().ShouldBe("x");
    }

    [Fact]
    public void The_line_end_before_a_boundary_belongs_to_the_boundary() // RFC 2046 §5.1.1
    {
        var parts = Wire.Read("Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n\n--b\n\ntwo\n--b--").Root.Parts;

        (parts[0].BodyLength, parts[0].BodyLines).ShouldBe((5, 1));
        (parts[1].BodyLength, parts[1].BodyLines).ShouldBe((3, 0));
    }

    [Fact]
    public void Padding_behind_a_boundary_is_ignored() => // RFC 2046 §5.1.1: transport-padding
        Wire.Read("Content-Type: multipart/mixed; boundary=b\n\n--b \t\n\none\n--b-- \nepilogue").Root.Parts.Count.ShouldBe(1);

    [Fact]
    public void Of_boundaries_that_begin_alike_the_longest_match_is_meant()
    {
        var root = Wire.Read("""
            Content-Type: multipart/mixed; boundary=b

            --b
            Content-Type: multipart/mixed; boundary=b-2

            --b-2

            inner
            --b-2--
            --b

            outer
            --b--
            """).Root;

        root.Parts.Count.ShouldBe(2);
        root.Parts[0].Parts.Count.ShouldBe(1);
    }

    [Fact]
    public void An_outer_boundary_ends_inner_parts_that_were_not_closed() // RFC 2046 §5.1.2
    {
        var root = Wire.Read("""
            Content-Type: multipart/mixed; boundary=outer

            --outer
            Content-Type: multipart/mixed; boundary=inner

            --inner

            one
            --outer

            two
            --inner
            not a boundary any more
            """).Root;

        root.Parts.Count.ShouldBe(2);
        root.Parts[0].Parts.Single().BodyLength.ShouldBe(3);
        root.Parts[1].Parts.ShouldBeEmpty();
    }

    [Fact]
    public void A_boundary_ends_a_header_that_has_no_blank_line()
    {
        var parts = Wire.Read("Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/html\n--b\n\nx\n--b--").Root.Parts;

        parts.Count.ShouldBe(2);
        (parts[0].Subtype, parts[0].HeaderLength, parts[0].BodyLength).ShouldBe(("html", 23, 0));
    }

    [Fact]
    public void An_encoded_message_global_is_not_looked_into() // RFC 6532 §3.5
    {
        var part = Wire.Read("Content-Type: message/global\nContent-Transfer-Encoding: base64\n\nU3ViamVjdDogeAoK").Root;

        part.EmbeddedMessage.ShouldBeNull();
        Wire.Body(Wire.Read("Content-Type: message/global\nContent-Transfer-Encoding: base64\n\nU3ViamVjdDogeAoK")).ShouldStartWith(
            "(\"message\" \"global\" NIL NIL NIL \"base64\" 16 (NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL) (\"text\" \"plain\"");
    }

    [Fact]
    public void Finish_may_be_called_twice_and_Feed_not_after_it()
    {
        var reader = new MessageReader(MessageLimits.Default);
        reader.Feed("A: 1\r\n\r\n"u8);

        reader.Finish().ShouldBeSameAs(reader.Finish());
        Should.Throw<InvalidOperationException>(() => reader.Feed("x"u8));
    }

    [Fact]
    public void An_empty_message_is_an_empty_text()
    {
        var message = MessageReader.Read([]);

        (message.Size, message.Root.HeaderLength, message.Root.BodyLength).ShouldBe((0, 0, 0));
        Wire.Envelope(message).ShouldBe("(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)");
    }

    [Fact]
    public void M004_File_names_are_found_in_either_field_and_decoded()
    {
        Wire.Read("Content-Type: image/png; name=\"=?utf-8?Q?b=C3=A4r.png?=\"\n\n").Root.FileName.ShouldBe("bär.png");
        Wire.Read("Content-Type: image/png; name=x\nContent-Disposition: attachment; filename*=utf-8''b%C3%A4r.png\n\n")
            .Root.FileName.ShouldBe("bär.png");
    }

    [Fact]
    public void M004_A_25_MiB_attachment_is_not_held()
    {
        var chunk = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat(new string('A', 76) + "\r\n", 210)));
        var reader = new MessageReader(MessageLimits.Default);
        reader.Feed("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Transfer-Encoding: base64\r\n\r\n"u8);
        var before = GC.GetAllocatedBytesForCurrentThread();

        for (var fed = 0; fed < 25 * 1024 * 1024; fed += chunk.Length)
            reader.Feed(chunk);

        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBeLessThan(1024);
        reader.Finish().Root.Parts.Single().BodyLength.ShouldBeGreaterThan(25 * 1024 * 1024);
    }

    [Fact]
    public void Work_grows_linearly_with_the_input_also_for_nested_boundaries()
    {
        var limits = MessageLimits.Default;
        var header = new StringBuilder();
        for (var i = 0; i < limits.MaxNestingDepth; i++)
            header.Append($"Content-Type: multipart/mixed; boundary={new string('x', 70)}{i:000}\r\n\r\n--{new string('x', 70)}{i:000}\r\n");
        var line = Encoding.ASCII.GetBytes("--" + new string('x', 74) + "\r\n");
        long work1 = WorkOf(1000), work2 = WorkOf(2000), work4 = WorkOf(4000);

        (work4 - work2).ShouldBe(2 * (work2 - work1));
        work4.ShouldBeLessThan((header.Length + 4000L * line.Length) * (limits.MaxNestingDepth + 1));

        long WorkOf(int lines)
        {
            var reader = new MessageReader(limits);
            reader.Feed(Encoding.ASCII.GetBytes(header.ToString()));
            for (var i = 0; i < lines; i++)
                reader.Feed(line);
            reader.Finish();
            return reader.TotalWork;
        }
    }
}
