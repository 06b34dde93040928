using System.Text;
using EventMail.Domain.Messages;

namespace EventMail.Domain.Tests.Messages;

/// <summary>
/// Part trees with their offsets, ENVELOPE and BODYSTRUCTURE of every corpus message, as reviewed and recorded:
/// EVENTMAIL_RECORD_GOLDEN=1 writes the files .tree anew.
/// </summary>
public class GoldenTests
{
    private static readonly bool Record = Environment.GetEnvironmentVariable("EVENTMAIL_RECORD_GOLDEN") == "1";

    [CorpusFact]
    public void Real_messages_have_the_recorded_structure() => CheckAll(name => !name.StartsWith("torture/", StringComparison.Ordinal));

    [Fact]
    public void Odd_messages_have_the_recorded_structure() => CheckAll(name => name.StartsWith("torture/", StringComparison.Ordinal));

    [CorpusFact]
    public void Real_messages_keep_every_invariant() => Corpus.Messages.Values.ToList().ForEach(m => Invariants.Check(m));

    [CorpusFact]
    public void Real_messages_with_bare_line_feeds_have_the_same_structure_but_for_sizes()
    {
        foreach (var (name, message) in Corpus.Messages)
        {
            var bare = Encoding.Latin1.GetBytes(Encoding.Latin1.GetString(message).Replace("\r\n", "\n"));
            Invariants.Check(bare);
            Shape(MessageReader.Read(bare).Root).ShouldBe(Shape(MessageReader.Read(message).Root), name);
        }
    }

    private static string Shape(MessagePart part) =>
        $"{part.MediaType}/{part.Subtype} {part.BodyLines} ({string.Join(' ', part.Parts.Select(Shape))})"
        + (part.EmbeddedMessage is null ? "" : "<" + Shape(part.EmbeddedMessage) + ">");

    private static void CheckAll(Func<string, bool> chosen)
    {
        var faults = new List<string>();
        foreach (var (name, message) in Corpus.Messages.Where(m => chosen(m.Key)))
        {
            var file = Path.Combine(Corpus.GoldenFolder, name + ".tree");
            var actual = Invariants.Describe(MessageReader.Read(message));
            if (Record)
                File.WriteAllText(file, actual);
            else if (!File.Exists(file))
                faults.Add($"{name}: not recorded");
            else if (File.ReadAllText(file) is var expected && expected != actual)
                faults.Add($"{name}:\nexpected\n{expected}actual\n{actual}");
        }
        faults.ShouldBeEmpty(string.Join('\n', faults));
    }
}
