using System.Text;
using EventMail.Protocols.Imap;
using EventMail.Protocols.Imap.Fetching;
using EventMail.Protocols.Imap.Grammar;
using FsCheck;
using FsCheck.Fluent;

namespace EventMail.Protocols.Tests.Imap.Grammar;

/// <summary>No octets make the parser throw, run on, or leave its text.</summary>
public class GrammarFuzzTests
{
    private static readonly string[] Pieces =
    [
        "a", "1", "0", "*", ":", ",", " ", "(", ")", "\"", "\\", "{3}", "{3+}\r\nabc", "\r\n", "[", "]", "<", ">", ".", "BODY[", "HEADER.FIELDS ",
        "FLAGS", "\\Seen", "INBOX", "&-", "&AGE-", "NIL", "1-Jan-2024", "ü", "\0", "4294967296", "UID ", "NOT ", "OR ", "BODY.PEEK[1.2.MIME]<0.1>",
    ];

    private static readonly Arbitrary<byte[]> Commands = Gen.OneOf(
        Gen.Elements(Pieces).ArrayOf().Select(pieces => Encoding.UTF8.GetBytes(string.Concat(pieces))),
        ArbMap.Default.GeneratorFor<byte[]>()).ToArbitrary();

    [Fact]
    public void The_parser_takes_any_octets() => Prop.ForAll(Commands, octets =>
    {
        CommandLine.TryParse(octets, out _);
        foreach (var start in new[] { 0, octets.Length / 2 })
            Exercise(octets.AsSpan(start));
    }).Check(Config.QuickThrowOnFailure.WithMaxTest(2000));

    private static void Exercise(ReadOnlySpan<byte> octets)
    {
        Check(octets, static (ref CommandParser p) => p.ExpectAString(out _));
        Check(octets, static (ref CommandParser p) => p.ExpectMailbox(out _));
        Check(octets, static (ref CommandParser p) => p.ExpectListMailbox(out _));
        Check(octets, static (ref CommandParser p) => p.ExpectNString(out _, out _));
        Check(octets, static (ref CommandParser p) => p.ExpectSequenceSet(out _));
        Check(octets, static (ref CommandParser p) => p.ExpectFlagListOrFlags(out _));
        Check(octets, static (ref CommandParser p) => p.ExpectDate(out _));
        Check(octets, static (ref CommandParser p) => p.ExpectDateTime(out _));
        Check(octets, static (ref CommandParser p) => p.ExpectFetchItems(100, byUid: true, out _));
        ListPattern.TryParse(octets, octets, out _);
        LiteralMarker.TryFindAtEnd(octets, out _);
    }

    private delegate bool Rule(ref CommandParser parser);

    private static void Check(ReadOnlySpan<byte> octets, Rule rule)
    {
        var parser = new CommandParser(octets);
        var found = rule(ref parser);
        parser.Position.ShouldBeInRange(0, octets.Length);
        if (!found)
            parser.Error.ShouldNotBeNull();
    }
}
