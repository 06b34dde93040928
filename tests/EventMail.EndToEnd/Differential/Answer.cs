using System.Text;
using System.Text.RegularExpressions;

namespace EventMail.EndToEnd.Differential;

/// <summary>
/// What a server said to a command, in a form in which two servers may be compared: what RFC 3501 leaves to the server (texts for
/// people, the order of data, UIDVALIDITY, MODSEQ, zones of dates) is gone.
/// </summary>
internal sealed partial class Answer(string command, string tag)
{
    private readonly List<int> _expunged = [];
    private readonly StringBuilder _raw = new();

    public string Command => command;

    /// <summary>OK, NO or BAD.</summary>
    public string Status { get; private set; } = "";

    /// <summary>What was said of each thing, by its name, such as <c>3 ENVELOPE</c>, <c>STATUS "Sent"</c>, <c>SEARCH</c>.</summary>
    public SortedDictionary<string, string> Said { get; } = new(StringComparer.Ordinal);

    /// <summary>The values of FETCH by message number and item.</summary>
    public Dictionary<(int Message, string Item), ImapValue> Fetched { get; } = [];

    /// <summary>All of it as it came, Latin-1.</summary>
    public string Raw => _raw.ToString();

    /// <summary>Takes the next response.</summary>
    /// <returns>Whether it was the tagged one.</returns>
    public bool Take(ReadOnlySpan<byte> response)
    {
        var text = Encoding.Latin1.GetString(response);
        _raw.Append(text).Append("\r\n");
        if (text.StartsWith(tag + " ", StringComparison.Ordinal))
        {
            var words = text.Split(' ', 3);
            Status = words[1];
            Said["tagged"] = words[1] + (ResponseCode(words[2]) is { } code ? " " + code : "");
            return true;
        }

        if (StatusResponse().Match(text) is { Success: true } status)
        {
            if (ResponseCode(status.Groups[2].Value) is { } code)
            {
                Said[$"* {status.Groups[1].Value} {code.Split(' ')[0]}"] = code;
            }
            else if (status.Groups[1].Value != "OK")
            {
                Said[$"* {status.Groups[1].Value}"] = "";
            }

            return false;
        }

        var values = ImapValue.Parse(response);
        if (values.Count > 2 && int.TryParse(values[1].Text, out var number))
        {
            Numbered(number, values);
        }
        else if (values.Count == 3 && int.TryParse(values[1].Text, out number))
        {
            Numbered(number, values);
        }
        else
        {
            Named(values[1].Text.ToUpperInvariant(), values.GetRange(2, values.Count - 2));
        }

        return false;
    }

    /// <summary>Takes attributes out of what LIST said.</summary>
    public void IgnoreAttributes(IReadOnlySet<string> attributes)
    {
        foreach (var (thing, text) in Said.Where(said => said.Key.StartsWith("LIST ", StringComparison.Ordinal) && attributes.Count > 0).ToList())
        {
            var end = text.IndexOf(')');
            Said[thing] = $"({string.Join(' ', text[1..end].Split(' ').Where(attribute => attribute.Length > 0 && !attributes.Contains(attribute)))}{text[end..]}";
        }
    }

    private void Numbered(int number, List<ImapValue> values)
    {
        switch (values[2].Text.ToUpperInvariant())
        {
            case "FETCH":
                var items = values[3].Items!;
                for (var i = 0; i + 1 < items.Count; i += 2)
                {
                    var item = ItemName(items[i].Text);
                    Fetched[(number, item)] = items[i + 1];
                    Said[$"{number} {item}"] = Normal.Item(item, items[i + 1]);
                }

                break;
            case "EXPUNGE":
                // In whichever order they come: the numbers that the messages had before the command.
                foreach (var before in _expunged.Order())
                {
                    number += before <= number ? 1 : 0;
                }

                _expunged.Add(number);
                Said["EXPUNGE"] = string.Join(' ', _expunged.Order());
                break;
            default:
                Said[values[2].Text.ToUpperInvariant()] = values[1].Text;
                break;
        }
    }

    private void Named(string name, List<ImapValue> values)
    {
        switch (name)
        {
            case "CAPABILITY":
                break;
            case "LIST" or "LSUB":
                Said[$"{name} {Mailbox(values[2])}"] = $"{Normal.Sorted(values[0])} {values[1]}{(values.Count > 3 ? " " + values[3].ToString().Replace("\"", "") : "")}";
                break;
            case "METADATA" when values.Count > 1 && values[1].Items is { } entries:
                Said[$"{name} {Mailbox(values[0])}"] = string.Join(", ", entries.Chunk(2).Select(entry => $"{entry[0]} {entry[^1]}").Order(StringComparer.Ordinal));
                break;
            case "STATUS":
                Said[$"{name} {Mailbox(values[0])}"] = Normal.Status(values[1].Items!);
                break;
            case "SEARCH":
                Said[name] = Normal.Search(values);
                break;
            case "FLAGS":
                Said[name] = Normal.Sorted(values[0]);
                break;
            case "ESEARCH":
                Said[name] = Normal.Extended(values, Command.Contains("SORT ", StringComparison.Ordinal));
                break;
            case "VANISHED":
                var earlier = values[0].Items is not null;
                Said[name + (earlier ? " (EARLIER)" : "")] = Normal.Set(values[^1].Text);
                break;
            default:
                Said[name] = string.Join(' ', values);
                break;
        }
    }

    // INBOX in whichever form.
    private static ImapValue Mailbox(ImapValue name) =>
        ImapValue.String(name.Text.Equals("INBOX", StringComparison.OrdinalIgnoreCase) ? "INBOX" : name.Text);

    /// <summary>Names of items and fields are compared without their case (RFC 3501 §9).</summary>
    private static string ItemName(string name) => name.ToUpperInvariant().Replace("\"", "");

    private static string? ResponseCode(string text)
    {
        var match = Code().Match(text);
        // RFC 8474, which Dovecot does not know.
        return !match.Success || match.Groups[1].Value == "MAILBOXID" ? null : Normal.Code(match.Groups[1].Value.ToUpperInvariant(), match.Groups[2].Value);
    }

    [GeneratedRegex(@"\A\* (OK|NO|BAD|BYE|PREAUTH) (.*)\z", RegexOptions.Singleline)]
    private static partial Regex StatusResponse();

    [GeneratedRegex(@"\A\[([A-Za-z0-9.\-]+)(?: (.*?))?\]", RegexOptions.Singleline)]
    private static partial Regex Code();
}
