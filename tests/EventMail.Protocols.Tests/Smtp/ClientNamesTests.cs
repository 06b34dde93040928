using System.Net;
using System.Text;
using EventMail.Projections;
using EventMail.Protocols.Smtp;
using EventMail.Protocols.Smtp.Data;
using EventMail.Protocols.Smtp.Syntax;
using FsCheck;
using FsCheck.Fluent;

namespace EventMail.Protocols.Tests.Smtp;

public sealed class ClientNamesTests
{
    [Theory]
    [InlineData("client.example.com")]
    [InlineData("[192.0.2.1]")]
    [InlineData("[IPv6:fe80::1%en0]")]
    [InlineData("fe80::1%eth0")]
    [InlineData("MY_PC")]
    [InlineData("localhost.localdomain.")]
    public void What_clients_call_themselves_is_taken_as_it_is(string name) => ClientNames.Read(Encoding.ASCII.GetBytes(name)).ShouldBe(name);

    [Theory]
    [InlineData("J\u00fcrgens-PC", "xn--jrgens-pc-q9a")]
    [InlineData("\u7535\u8111", "xn--wnyy6w")]
    [InlineData("-\u00fc-.\u00fc..x", "-?-.?..x")]
    public void Letters_beyond_ASCII_are_A_labels_or_unknown(string name, string safe) => ClientNames.Read(Encoding.UTF8.GetBytes(name)).ShouldBe(safe);

    // Prepared for a domain name these may be a parenthesis, a semicolon, a quote, an angle bracket.
    [Theory]
    [InlineData("a\uff08b")]
    [InlineData("a\u037eb")]
    [InlineData("a\uff02b")]
    [InlineData("\uff1ca\uff1e.\u00fc")]
    public void Nothing_that_looks_like_ASCII_becomes_a_comment(string name) =>
        ClientNames.Read(Encoding.UTF8.GetBytes(name)).ShouldNotBeNull().IndexOfAny(['(', ';', '"', '<', '>']).ShouldBe(-1);

    [Fact]
    public void Octets_in_another_encoding_are_unknown() => ClientNames.Read(Encoding.Latin1.GetBytes("J\u00fcrgens-PC")).ShouldBe("J?rgens-PC");

    [Theory]
    [InlineData("")]
    [InlineData("two words")]
    [InlineData("(comment)")]
    [InlineData("a;b")]
    [InlineData("\"a\"")]
    [InlineData("a\\b")]
    [InlineData("<a@b>")]
    public void What_would_be_something_else_in_a_field_is_no_name(string name) => ClientNames.Read(Encoding.ASCII.GetBytes(name)).ShouldBeNull();

    [Fact]
    public void A_name_has_255_octets_at_most()
    {
        ClientNames.Read(Encoding.ASCII.GetBytes(new string('a', ClientNames.MaxLength))).ShouldNotBeNull();
        ClientNames.Read(Encoding.ASCII.GetBytes(new string('a', ClientNames.MaxLength + 1))).ShouldBeNull();
    }

    [Fact]
    public void Whatever_is_taken_makes_no_comment_quote_or_line_in_Received() => Prop.ForAll<byte[]>(octets =>
    {
        if (ClientNames.Read(octets) is not { } name)
            return;
        name.ShouldAllBe(c => c > ' ' && c < '\x7f');
        name.IndexOfAny(['(', ')', '"', '\\', ';', '<', '>', '@', ',']).ShouldBe(-1);
        Encoding.UTF8.GetString(TraceFields.Write(Envelope(name))).ShouldContain($"\r\nReceived: from {name} ([192.0.2.1])\r\n\tby mx.example.org with ESMTP id 1");
    }).QuickCheckThrowOnFailure();

    private static SmtpEnvelope Envelope(string name) => new()
    {
        Id = "1",
        Client = new(IPAddress.Parse("192.0.2.1"), 40000),
        ClientName = name,
        IsExtended = true,
        Role = SmtpRole.Exchange,
        Cipher = null,
        ReversePath = SmtpPath.Null,
        Parameters = new(),
        Recipients = [],
        Received = DateTimeOffset.UnixEpoch,
        Hostname = "mx.example.org",
        Actor = Actor.System,
        Account = null,
    };
}
