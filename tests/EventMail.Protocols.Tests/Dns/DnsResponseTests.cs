using System.Text;
using EventMail.Protocols.Dns;
using EventMail.Testing;
using FsCheck;
using FsCheck.Fluent;

namespace EventMail.Protocols.Tests.Dns;

public sealed class DnsResponseTests
{
    private static readonly byte[] Query = DnsQuestion.Create("example.test", DnsType.Mx, new(UseEdns: true, WantAuthenticity: true, MixCase: true))!.Wire;

    private static readonly byte[] Whole = Reply.To(Query)
        .Alias("example.test", "other.test").Answer("other.test", DnsType.Mx, 60, [0, 10, .. Reply.Name("mx.other.test")])
        .Answer("t.test", DnsType.Txt, 60, [2, (byte)'a', (byte)'b', 0, 1, (byte)'c']).Answer("t.test", DnsType.Tlsa, 60, 3, 1, 1, 9, 8, 7)
        .Authority("test", 60, 30).Edns().Octets();

    [Fact]
    public void A_whole_message_is_read()
    {
        var response = DnsResponse.Read(Whole)!;
        response.Answers.Select(record => record.Type).ShouldBe([DnsType.Cname, DnsType.Mx, DnsType.Txt, DnsType.Tlsa]);
        response.Answers[1].Data.ShouldBe(new MxRecord(10, "mx.other.test"));
        Encoding.ASCII.GetString(((TxtRecord)response.Answers[2].Data!).Text.Span).ShouldBe("abc");
        response.Authority.ShouldBe(new("test", 30));
        response.HasEdns.ShouldBeTrue();
    }

    [Theory]
    [InlineData(DnsType.A, new byte[] { 1, 2, 3 })]
    [InlineData(DnsType.Aaaa, new byte[] { 1, 2, 3, 4 })]
    [InlineData(DnsType.Mx, new byte[] { 0, 1 })]
    [InlineData(DnsType.Mx, new byte[] { 0, 1, 1, 97, 0, 9 })] // something behind the name
    [InlineData(DnsType.Cname, new byte[] { 1, 97 })]
    [InlineData(DnsType.Txt, new byte[] { })]
    [InlineData(DnsType.Txt, new byte[] { 5, 97 })]
    [InlineData(DnsType.Tlsa, new byte[] { 3, 1 })]
    public void Data_that_does_not_fit_its_type_makes_the_message_malformed(DnsType type, byte[] data) =>
        DnsResponse.Read(Reply.To(Query).Answer("a.test", type, 60, data).Octets()).ShouldBeNull();

    [Fact]
    public void Types_that_nobody_asks_for_are_passed_over() =>
        DnsResponse.Read(Reply.To(Query).Answer("a.test", (DnsType)99, 60, 1, 2, 3).Octets())!.Answers.ShouldHaveSingleItem().Data.ShouldBeNull();

    [Fact]
    public void More_records_than_the_limit_are_not_read()
    {
        var message = Reply.To(Query).Octets();
        (message[6], message[7]) = (DnsResponse.MaxRecords >> 8, 1);
        DnsResponse.Read([.. message, .. Enumerable.Repeat(new byte[] { 0, 0, 99, 0, 1, 0, 0, 0, 0, 0, 0 }, DnsResponse.MaxRecords + 1).SelectMany(record => record)])
            .ShouldBeNull();
        (message[6], message[7]) = (DnsResponse.MaxRecords >> 8, 0);
        DnsResponse.Read([.. message, .. Enumerable.Repeat(new byte[] { 0, 0, 99, 0, 1, 0, 0, 0, 0, 0, 0 }, DnsResponse.MaxRecords).SelectMany(record => record)])
            .ShouldNotBeNull();
    }

    [Fact]
    public void A_message_cut_off_anywhere_is_none()
    {
        for (var length = 0; length < Whole.Length; length++)
            DnsResponse.Read(Whole.AsSpan(0, length)).ShouldBeNull();
    }

    [Fact]
    public void Any_octets_are_a_message_or_none() => Check.One(Config.QuickThrowOnFailure.WithMaxTest(FuzzTimes.Of(3000)), Prop.ForAll<byte[]>(octets =>
    {
        // With the head of an answer more of them get further.
        byte[] message = [0, 0, 0x80, 0, 0, 1, 0, 3, 0, 1, 0, 1, .. octets ?? []];
        DnsResponse.Read(message);
        DnsResponse.Read(octets);
    }));

    [Fact]
    public void A_message_changed_anywhere_is_read_or_not() => Check.One(Config.QuickThrowOnFailure.WithMaxTest(FuzzTimes.Of(3000)), Prop.ForAll(
        Gen.Choose(0, Whole.Length - 1).ListOf().ToArbitrary(), Gen.Choose(0, 255).ToArbitrary(), (places, value) =>
        {
            var message = Whole.ToArray();
            foreach (var place in places)
                message[place] = (byte)(value + place);
            DnsResponse.Read(message);
        }));

    [Fact]
    public void A_message_of_pointers_costs_no_more_than_it_is_long()
    {
        // Each record's name is a pointer to a name of 127 labels.
        var message = Reply.To(Query).Octets().ToList();
        var start = message.Count;
        message.AddRange([.. Enumerable.Repeat(new byte[] { 1, 97 }, 127).SelectMany(label => label), 0, 0, 99, 0, 1, 0, 0, 0, 0, 0, 0]);
        while (message.Count < 12_000)
            message.AddRange([(byte)(0xC0 | (start >> 8)), (byte)start, 0, 99, 0, 1, 0, 0, 0, 0, 0, 0]);
        (message[6], message[7]) = (3, 200);
        DnsResponse.Read(message.ToArray())!.Answers.Count.ShouldBe(968);
    }

    [Fact]
    public void What_the_server_says_of_a_failure_is_shown_without_control_characters()
    {
        // RFC 8914: option 15, code 6, text.
        byte[] option = [0, 15, 0, 7, 0, 6, (byte)'b', (byte)'a', 10, 27, (byte)'d'];
        byte[] message = [.. Reply.To(Query).Code(2).Octets(), 0, 0, 41, 4, 208, 0, 0, 0, 0, 0, (byte)option.Length, .. option];
        message[11] = 1;
        DnsResponse.Read(message)!.ExtendedError.ShouldBe("DNSSEC bogus: ba  d");
    }
}
