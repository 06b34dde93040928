using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace EventMail.EndToEnd.Differential;

/// <summary>SEARCH with every key, and with words out of the messages themselves (RFC 3501 §6.4.4).</summary>
internal static partial class Searches
{
    private static readonly string[] Fixed =
    [
        "ALL", "ANSWERED", "UNANSWERED", "DELETED", "UNDELETED", "DRAFT", "UNDRAFT", "FLAGGED", "UNFLAGGED", "SEEN", "UNSEEN", "NEW", "OLD", "RECENT",
        "KEYWORD Keyword", "UNKEYWORD Keyword", "KEYWORD keyword", "KEYWORD NobodyHasIt", "UNKEYWORD NobodyHasIt", "KEYWORD $Forwarded",
        "1", "1:3,5", "*", "2:*", "UID 2:4", "UID *", "UID 100000:*", "NOT 1:3", "OR 1 2", "OR SEEN OR FLAGGED DRAFT", "(SEEN (FLAGGED))", "NOT (SEEN NOT FLAGGED)", "SEEN FLAGGED",
        "LARGER 1000", "SMALLER 1000", "LARGER 0", "SMALLER 0", "LARGER 4294967295", "OR LARGER 5000 SMALLER 300",
        "BEFORE 1-Jan-2024", "BEFORE 3-Jan-2024", "ON 2-Jan-2024", "ON 5-Jan-2024", "SINCE 5-Jan-2024", "ON 10-Jan-2024", "ON 20-Jan-2024",
        "SENTBEFORE 1-Jan-2005", "SENTSINCE 1-Jan-2005", "SENTON 1-Jan-2005", "SENTSINCE 1-Jan-1970", "SENTBEFORE 1-Jan-2038", "NOT SENTSINCE 1-Jan-1970",
        "HEADER Subject \"\"", "HEADER X-Nobody-Has-It \"\"", "HEADER Message-ID \"\"", "HEADER Message-ID @", "HEADER Content-Type multipart", "HEADER Date 200",
        "HEADER Received \"\"", "HEADER Received from", "HEADER Received \"by \"", "HEADER List-ID \"\"", "HEADER MIME-Version 1.0",
        "FROM \"\"", "TO \"\"", "CC \"\"", "BCC \"\"", "SUBJECT \"\"", "BODY \"\"", "TEXT \"\"", "BODY \"NobodyWroteThis\"", "TEXT \"NobodyWroteThis\"",
        "FROM @", "TO @", "FROM \"<\"", "FROM \"> \"", "CC com", "SUBJECT \"re: \"", "SUBJECT \"=?\"", "BODY \"=20\"", "BODY \"<html\"", "BODY href", "TEXT \"content-type:\"", "TEXT \"received: from\"",
        "BODY \"the \" TEXT \"subject\"", "NOT BODY a", "NOT TEXT e", "CHARSET US-ASCII SUBJECT a", "CHARSET UTF-8 SUBJECT a",
    ];

    public static async Task CompareAsync(
        PeerSession session, string source, IReadOnlyList<string> names, IReadOnlyCollection<byte[]> messages, Differences differences)
    {
        foreach (var search in Fixed.Concat(OutOf(messages)).Concat(WordsBeyondAscii.SearchesFor(messages)).Distinct(StringComparer.Ordinal))
        {
            var (ours, theirs) = await session.RunAsync($"SEARCH {search}");
            differences.Compare(source, $"SEARCH {search}", ours.Status, theirs.Status);
            var (found, expected) = (Numbers(ours), Numbers(theirs));
            foreach (var number in found.Except(expected))
            {
                differences.Compare(names[number - 1], $"SEARCH {ImapValue.Escape(search)}", "found", null);
            }

            foreach (var number in expected.Except(found))
            {
                differences.Compare(names[number - 1], $"SEARCH {ImapValue.Escape(search)}", null, "found");
            }
        }
    }

    private static HashSet<int> Numbers(Answer answer) =>
        [.. answer.Said.GetValueOrDefault("SEARCH", "").Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(number => int.Parse(number, CultureInfo.InvariantCulture))];

    // Always the same ones, here and there from the messages.
    private static IEnumerable<string> OutOf(IEnumerable<byte[]> messages)
    {
        var random = new Random(20240101);
        foreach (var message in messages)
        {
            var text = Encoding.Latin1.GetString(message);
            var split = text.IndexOf("\n\n", StringComparison.Ordinal);
            var header = split < 0 ? text : text[..split];
            var body = split < 0 ? "" : text[split..];
            foreach (var (key, from) in ((string, string)[])[("FROM", "From"), ("TO", "To"), ("CC", "Cc"), ("SUBJECT", "Subject"), ("HEADER Message-ID", "Message-ID"), ("HEADER Received", "Received")])
            {
                var field = Regex.Match(header, $@"^{from}:(.*(?:\n[ \t].*)*)", RegexOptions.Multiline | RegexOptions.IgnoreCase).Groups[1].Value;
                if (Word(field, random) is { } word)
                {
                    yield return $"{key} \"{word}\"";
                }
            }

            if (Word(body, random) is { } inBody)
            {
                yield return $"BODY \"{inBody}\"";
            }

            if (Word(text, random) is { } anywhere)
            {
                yield return $"TEXT \"{anywhere[1..].ToUpperInvariant()}\"";
            }
        }
    }

    // Sometimes two, sometimes half of one.
    private static string? Word(string text, Random random)
    {
        var words = Words().Matches(text);
        if (words.Count == 0)
        {
            return null;
        }

        var word = words[random.Next(words.Count)].Value;
        return random.Next(4) == 0 ? word[(word.Length / 3)..] : word;
    }

    [GeneratedRegex(@"[!#-\[\]-~]{2,20}(?: [!#-\[\]-~]{2,20})?")]
    private static partial Regex Words();
}
