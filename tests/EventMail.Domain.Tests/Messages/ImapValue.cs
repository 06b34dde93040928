using System.Text;

namespace EventMail.Domain.Tests.Messages;

/// <summary>A parsed IMAP value, so that quoted string and literal of the same bytes are equal. Latin-1.</summary>
internal abstract record ImapValue
{
    public sealed record Atom(string Text) : ImapValue
    {
        public override string ToString() => Text;
    }

    public sealed record String(string Text) : ImapValue
    {
        public override string ToString() => "\"" + Text.Replace("\r", "\\r").Replace("\n", "\\n") + "\"";
    }

    public sealed record List(IReadOnlyList<ImapValue> Items) : ImapValue
    {
        public bool Equals(List? other) => other is not null && Items.SequenceEqual(other.Items);

        public override int GetHashCode() => Items.Count;

        public override string ToString() => "(" + string.Join(' ', Items) + ")";
    }

    public static ImapValue Parse(string text)
    {
        var at = 0;
        var value = Parse(text, ref at);
        at.ShouldBe(text.Length, "rubbish behind the value: " + text);
        return value;
    }

    private static ImapValue Parse(string text, ref int at)
    {
        switch (text[at])
        {
            case '(':
                at++;
                var items = new List<ImapValue>();
                while (text[at] != ')')
                {
                    if (text[at] == ' ')
                        at++;
                    else
                        items.Add(Parse(text, ref at));
                }
                at++;
                return new List(items);
            case '"':
                var quoted = new StringBuilder();
                for (at++; text[at] != '"'; at++)
                {
                    if (text[at] == '\\')
                        at++;
                    quoted.Append(text[at]);
                }
                at++;
                return new String(quoted.ToString());
            case '{':
                var end = text.IndexOf('}', at);
                var length = int.Parse(text.AsSpan(at + 1, end - at - 1));
                text.Substring(end + 1, 2).ShouldBe("\r\n");
                at = end + 3 + length;
                return new String(text.Substring(end + 3, length));
            default:
                var start = at;
                while (at < text.Length && text[at] is not (' ' or '(' or ')'))
                    at++;
                return new Atom(text[start..at]);
        }
    }

    /// <summary>Where two values differ first, for the failure message.</summary>
    public static string FirstDifference(ImapValue ours, ImapValue theirs) =>
        ours is List a && theirs is List b && a.Items.Count == b.Items.Count
            ? a.Items.Zip(b.Items).Where(p => !p.First.Equals(p.Second)).Select(p => FirstDifference(p.First, p.Second)).First()
            : $"ours {ours}\n   theirs {theirs}";
}
