using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using EventMail.Domain.Messages;

namespace EventMail.Domain.Tests.Messages;

/// <summary>
/// Dovecot's recorded answers (Golden/record-dovecot) against ours. A difference needs a line "ITEM: reason" in a file
/// .why beside the golden file, and a reason needs a difference.
/// </summary>
public class DovecotTests
{
    private static readonly int[][] PartNumbers =
    [
        [1], [2], [3], [4], [1, 1], [1, 2], [2, 1], [2, 2], [3, 1], [3, 2], [4, 1], [4, 2], [1, 1, 1], [2, 1, 1], [2, 1, 2],
        [2, 2, 1], [4, 2, 1], [4, 2, 2], [4, 2, 2, 1], [4, 2, 2, 2],
    ];

    [CorpusFact]
    public void Real_messages_are_answered_as_Dovecot_does_or_the_reason_is_written_down() =>
        CompareAll(name => !name.StartsWith("torture/", StringComparison.Ordinal), atLeast: 60);

    [Fact]
    public void Odd_messages_are_answered_as_Dovecot_does_or_the_reason_is_written_down() =>
        CompareAll(name => name.StartsWith("torture/", StringComparison.Ordinal), atLeast: 20);

    private static void CompareAll(Func<string, bool> chosen, int atLeast)
    {
        var faults = new List<string>();
        var compared = 0;
        foreach (var (name, message) in Corpus.Messages.Where(m => chosen(m.Key)))
        {
            var golden = Path.Combine(Corpus.GoldenFolder, name + ".dovecot");
            if (!File.Exists(golden))
            {
                faults.Add($"{name}: not recorded, run Golden/record-dovecot");
                continue;
            }
            compared++;
            var differences = Compare(message, File.ReadAllBytes(golden));
            var reasons = ReadReasons(Path.Combine(Corpus.GoldenFolder, name + ".why"));
            faults.AddRange(differences.Where(d => !reasons.Contains(d.Key)).Select(d => $"{name}: {d.Key} differs without a reason\n   {d.Value}"));
            faults.AddRange(reasons.Where(r => !differences.ContainsKey(r)).Select(r => $"{name}: a reason for {r}, which does not differ"));
        }
        compared.ShouldBeGreaterThanOrEqualTo(atLeast);
        faults.ShouldBeEmpty(string.Join('\n', faults));
    }

    private static SortedDictionary<string, string> Compare(byte[] bytes, byte[] golden)
    {
        var message = MessageReader.Read(bytes);
        var differences = new SortedDictionary<string, string>(StringComparer.Ordinal);
        var answers = ReadGolden(Encoding.Latin1.GetString(golden));
        CompareValue("ENVELOPE", Wire.Envelope(message));
        CompareValue("BODYSTRUCTURE", Wire.Body(message));
        CompareValue("BODY", Wire.Body(message, extensible: false));

        var map = PartMap.Of(message);
        CompareSection("", Locate([], SectionPart.Whole));
        CompareSection("HEADER", Locate([], SectionPart.Header));
        CompareSection("TEXT", Locate([], SectionPart.Text));
        CompareSection("HEADER.FIELDS (SUBJECT FROM RECEIVED X-MAILER)", Select(["SUBJECT", "FROM", "RECEIVED", "X-MAILER"], not: false));
        CompareSection("HEADER.FIELDS.NOT (SUBJECT FROM RECEIVED)", Select(["SUBJECT", "FROM", "RECEIVED"], not: true));
        foreach (var numbers in PartNumbers)
        {
            var section = string.Join('.', numbers);
            CompareSection(section, Locate(numbers, SectionPart.Whole));
            CompareSection(section + ".MIME", Locate(numbers, SectionPart.Mime));
            CompareSection(section + ".HEADER", Locate(numbers, SectionPart.Header));
            CompareSection(section + ".TEXT", Locate(numbers, SectionPart.Text));
        }
        return differences;

        void CompareValue(string item, string ours)
        {
            var mine = ImapValue.Parse(ours);
            var theirs = ImapValue.Parse(answers[item]);
            if (!mine.Equals(theirs))
                differences[item] = ImapValue.FirstDifference(mine, theirs);
        }

        void CompareSection(string section, byte[] ours)
        {
            var mine = ours.Length == 0 ? "absent" : $"{ours.Length} {Convert.ToHexStringLower(SHA256.HashData(ours))[..16]}";
            var theirs = answers.GetValueOrDefault($"SECTION [{section}]", "absent");
            if (mine != theirs)
                differences[$"SECTION [{section}]"] = $"ours {mine}, theirs {theirs}";
        }

        byte[] Locate(int[] numbers, SectionPart kind) =>
            map.TryLocate(numbers, kind, out var offset, out var length) ? bytes[(int)offset..(int)(offset + length)] : [];

        byte[] Select(string[] names, bool not)
        {
            var output = new ArrayBufferWriter<byte>();
            var list = names.Select(n => (ReadOnlyMemory<byte>)Encoding.ASCII.GetBytes(n)).ToArray();
            HeaderFields.Select(Locate([], SectionPart.Header), list, not, output);
            return output.WrittenSpan.ToArray();
        }
    }

    // "ENVELOPE value", "BODYSTRUCTURE value", "BODY value" (values may hold line ends in literals), then "SECTION [x] size hash".
    private static Dictionary<string, string> ReadGolden(string golden)
    {
        var answers = new Dictionary<string, string>();
        var structure = golden.IndexOf("\nBODYSTRUCTURE ", StringComparison.Ordinal);
        var body = golden.IndexOf("\nBODY ", structure, StringComparison.Ordinal);
        var sections = golden.IndexOf("\nSECTION ", body, StringComparison.Ordinal);
        answers["ENVELOPE"] = golden["ENVELOPE ".Length..structure];
        answers["BODYSTRUCTURE"] = golden[(structure + "\nBODYSTRUCTURE ".Length)..body];
        answers["BODY"] = golden[(body + "\nBODY ".Length)..sections];
        foreach (var line in golden[sections..].Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            var end = line.LastIndexOf("] ", StringComparison.Ordinal);
            answers[line[..(end + 1)]] = line[(end + 2)..];
        }
        return answers;
    }

    private static HashSet<string> ReadReasons(string file)
    {
        var items = new HashSet<string>();
        if (!File.Exists(file))
            return items;
        foreach (var line in File.ReadLines(file).Where(l => l.Length > 0 && l[0] != ' '))
        {
            var reason = line.IndexOf(": ", StringComparison.Ordinal);
            reason.ShouldBeGreaterThan(0, $"{file}: no \"ITEM: reason\" in {line}");
            items.UnionWith(line[..reason].Split(", "));
        }
        return items;
    }
}
