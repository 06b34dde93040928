using System.Text;

namespace EventMail.Protocols.Pop3.Commands;

/// <summary>RFC 6856 §3: the language of the replies' text. There is one.</summary>
internal static class Lang
{
    public const string Tag = "en";

    public static ValueTask RunAsync(Pop3Session session, Pop3Arguments arguments)
    {
        var range = Encoding.ASCII.GetString(arguments.Text.Span.Trim((byte)' '));
        if (range.Length == 0)
        {
            session.BeginLines("Languages follow");
            session.Line(Tag + " English");
            session.EndLines();
        }
        else if (Matches(range))
        {
            session.Ok(Tag + " Replies are in English");
        }
        else
        {
            session.Err("No such language, replies stay in English");
        }

        return ValueTask.CompletedTask;
    }

    // A basic language range (RFC 4647 §3.3.1): "*", or a prefix of the tag that ends at a hyphen.
    private static bool Matches(string range) => range == "*" || range.Equals(Tag, StringComparison.OrdinalIgnoreCase);
}
