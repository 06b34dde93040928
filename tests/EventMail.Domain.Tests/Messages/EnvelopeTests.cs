using EventMail.Domain.Messages;

namespace EventMail.Domain.Tests.Messages;

public class EnvelopeTests
{
    [Fact]
    public void The_envelope_has_the_ten_values_of_RFC_3501_7_4_2() =>
        Wire.Envelope(Wire.Read("""
            Date: Wed, 17 Jul 1996 02:23:25 -0700 (PDT)
            From: Terry Gray <gray@cac.washington.edu>
            Subject: IMAP4rev1 WG mtg summary and minutes
            To: imap@cac.washington.edu
            Cc: minutes@CNRI.Reston.VA.US, John Klensin <KLENSIN@MIT.EDU>
            Message-Id: <B27397-0100000@cac.washington.edu>

            """)).ShouldBe(
            "(\"Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\" \"IMAP4rev1 WG mtg summary and minutes\" "
            + "((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\")) "
            + "((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\")) "
            + "((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\")) "
            + "((NIL NIL \"imap\" \"cac.washington.edu\")) "
            + "((NIL NIL \"minutes\" \"CNRI.Reston.VA.US\")(\"John Klensin\" NIL \"KLENSIN\" \"MIT.EDU\")) NIL NIL "
            + "\"<B27397-0100000@cac.washington.edu>\")");

    [Fact]
    public void Sender_and_Reply_To_default_to_From() // RFC 3501 §7.4.2
    {
        var envelope = Wire.Read("From: a@b\nReply-To:\nSender: c@d\n\n").Root.Envelope;

        envelope.ReplyTo.ShouldBe(envelope.From);
        envelope.Sender.Single().Mailbox.ToString().ShouldBe("c");
    }

    [Fact]
    public void Several_fields_of_one_kind_are_one_list() =>
        Wire.Read("To: a@b\nTo: c@d\n\n").Root.Envelope.To.Count.ShouldBe(2);

    [Theory]
    [InlineData("a@b", "((NIL NIL \"a\" \"b\"))")]
    [InlineData("Name <a@b>", "((\"Name\" NIL \"a\" \"b\"))")]
    [InlineData("\"Last, First\" <a@b>", "((\"Last, First\" NIL \"a\" \"b\"))")]
    [InlineData("a@b (Name)", "((\"Name\" NIL \"a\" \"b\"))")]
    [InlineData("a@b (Na \\(me (nested))", "((\"Na (me (nested)\" NIL \"a\" \"b\"))")]
    [InlineData("Joe Q. Public <a@b>", "((\"Joe Q. Public\" NIL \"a\" \"b\"))")]
    [InlineData("<@x.y,@z:a@b>", "((NIL \"@x.y,@z\" \"a\" \"b\"))")] // RFC 5322 §4.4: obs-route
    [InlineData("a . b @ c . d", "((NIL NIL \"a.b\" \"c.d\"))")] // RFC 5322 §4.4: CFWS around dots
    [InlineData("\"a b\"@c", "((NIL NIL \"a b\" \"c\"))")]
    [InlineData("\"a b\".c@d", "((NIL NIL \"a b.c\" \"d\"))")] // RFC 5322 §4.4: obs-local-part
    [InlineData("a@[192.0.2.1]", "((NIL NIL \"a\" \"[192.0.2.1]\"))")]
    [InlineData("a@b, , c@d", "((NIL NIL \"a\" \"b\")(NIL NIL \"c\" \"d\"))")] // RFC 5322 §4.4: obs-addr-list
    [InlineData("A: a@b, C <c@d>;", "((NIL NIL \"A\" NIL)(NIL NIL \"a\" \"b\")(\"C\" NIL \"c\" \"d\")(NIL NIL NIL NIL))")]
    [InlineData("\"A B\":;, a@b", "((NIL NIL \"A B\" NIL)(NIL NIL NIL NIL)(NIL NIL \"a\" \"b\"))")]
    [InlineData("A: a@b", "((NIL NIL \"A\" NIL)(NIL NIL \"a\" \"b\")(NIL NIL NIL NIL))")]
    [InlineData("root", "((NIL NIL \"root\" \"MISSING_DOMAIN\"))")]
    [InlineData("Some Body", "((\"Some Body\" NIL \"MISSING_MAILBOX\" \"MISSING_DOMAIN\"))")]
    [InlineData("<a@b", "((NIL NIL \"a\" \"SYNTAX_ERROR\"))")]
    [InlineData("a@b <a@b>, c@d", "((\"a@b\" NIL \"a\" \"b\")(NIL NIL \"c\" \"d\"))")]
    [InlineData("<a@b> rubbish, c@d", "((NIL NIL \"a\" \"b\")(NIL NIL \"c\" \"d\"))")]
    [InlineData("=?utf-8?Q?J=C3=BCrgen?= <a@b>", "((\"=?utf-8?Q?J=C3=BCrgen?=\" NIL \"a\" \"b\"))")]
    [InlineData("", "NIL")]
    [InlineData(" (only a comment)", "NIL")]
    public void Addresses_are_read_as_in_RFC_5322_3_4_and_4_4(string field, string expected) =>
        Wire.Envelope(Wire.Read($"To: {field}\n\n")).ShouldBe($"(NIL NIL NIL NIL NIL {expected} NIL NIL NIL NIL)");

    [Fact]
    public void Folded_texts_are_unfolded() // RFC 5322 §2.2.3
    {
        var message = Wire.Read("Subject: one\n two\n\tthree\nMessage-ID:\n <a@b>\n\n");

        Wire.Envelope(message).ShouldBe("(NIL \"one two three\" NIL NIL NIL NIL NIL NIL NIL \"<a@b>\")");
    }

    [Fact]
    public void What_a_quoted_string_cannot_hold_is_a_literal() // RFC 3501 §4.3
    {
        Wire.Envelope(Wire.Read("Subject: \xfc\n\n")).ShouldContain("{1}\r\n\xfc");
        Wire.Envelope(Wire.Read("Subject: a \"b\" \\c\n\n")).ShouldContain("\"a \\\"b\\\" \\\\c\"");
        Wire.Envelope(Wire.Read("Subject: a\0b\n\n")).ShouldContain("{5}\r\na\u00ef\u00bf\u00bdb");
    }

    [Fact]
    public void The_names_of_fields_compare_whatever_their_case_and_space_before_the_colon() => // RFC 5322 §4.5
        Wire.Envelope(Wire.Read("SUBJECT : x\n\n")).ShouldContain("\"x\"");

    [Fact]
    public void M006_Message_ids_are_normalised_for_threads() // RFC 5256 §2.2, RFC 5322 §3.6.4
    {
        var message = Wire.Read("Message-ID: (c) <\"a.b\"@c> \nIn-Reply-To: x's message of today <d@e>\nReferences: <1@x>\n <2@x><3 @x> junk\n\n");

        message.MessageId.ShouldBe("a.b@c");
        message.InReplyTo.ShouldBe(["d@e"]);
        message.References.ShouldBe(["1@x", "2@x", "3@x"]);
        Wire.Read("Subject: x\n\n").MessageId.ShouldBeNull();
        MessageIds.All(new Octets("<\"a@b> <c@d>"u8.ToArray())).ShouldBe(["a@b", "c@d"]);
    }
}
