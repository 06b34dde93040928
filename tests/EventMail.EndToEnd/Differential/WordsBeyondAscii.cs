using System.Text;
using System.Text.RegularExpressions;
using EventMail.Domain.Messages;

namespace EventMail.EndToEnd.Differential;

/// <summary>Searches for words with letters that are not ASCII's, out of what the messages say when they are decoded (RFC 3501 §6.4.4 CHARSET).</summary>
internal static partial class WordsBeyondAscii
{
    private const int FromEach = 3;

    public static IEnumerable<string> SearchesFor(IEnumerable<byte[]> messages)
    {
        var random = new Random(20240202);
        foreach (var message in messages)
        {
            var bytes = Corpus.AsSent(message);
            foreach (var kind in (DecodedTextKind[])[DecodedTextKind.Header, DecodedTextKind.Body])
            {
                var text = new StringBuilder();
                DecodedText.ForEach(MessageReader.Read(bytes), bytes, (piece, from) =>
                {
                    text.Append(from == kind ? piece : "").Append(from == kind && kind == DecodedTextKind.Body ? "" : "\n");
                    return true;
                });
                var words = Words().Matches(text.ToString()).Select(match => match.Value).Distinct().ToList();
                for (var i = 0; i < FromEach && words.Count > 0; i++)
                {
                    var word = words[random.Next(words.Count)];
                    words.Remove(word);
                    yield return $"CHARSET UTF-8 TEXT {Literal(word)}";
                    yield return $"CHARSET UTF-8 {(kind == DecodedTextKind.Body ? "BODY" : "SUBJECT")} {Literal(word.ToUpperInvariant())}";
                }
            }
        }
    }

    private static string Literal(string word) => Literals.Of(Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(word)));

    // U+FFFD stands for what could not be decoded.
    [GeneratedRegex(@"\b[\p{L}\p{M}]{0,12}[\p{L}\p{M}-[\x00-\x7f\ufffd]][\p{L}\p{M}]{0,12}")]
    private static partial Regex Words();
}
