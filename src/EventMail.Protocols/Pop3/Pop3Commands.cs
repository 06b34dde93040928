using EventMail.Protocols.Pop3.Commands;
using static EventMail.Protocols.Pop3.Pop3States;

namespace EventMail.Protocols.Pop3;

/// <summary>Every command of the server, and where it may be given (RFC 1939 §9, RFC 2449, RFC 2595, RFC 5034, RFC 6856).</summary>
internal static class Pop3Commands
{
    public static readonly IReadOnlyList<Pop3Command> All =
    [
        new("USER", Authorization, Pop3Syntax.Text, "USER name", User.RunAsync),
        new("PASS", Authorization, Pop3Syntax.Text, "PASS password", Pass.RunAsync),
        new("APOP", Authorization, Pop3Syntax.Text, "APOP name digest", Apop.RunAsync),
        new("AUTH", Authorization, Pop3Syntax.Words, "AUTH [mechanism [initial-response]]", Auth.RunAsync),
        new("STLS", Authorization, Pop3Syntax.None, "STLS", Stls.RunAsync),
        new("UTF8", Authorization, Pop3Syntax.None, "UTF8", Utf8.RunAsync),
        new("CAPA", Both, Pop3Syntax.None, "CAPA", Capa.RunAsync),
        new("LANG", Both, Pop3Syntax.Words, "LANG [language-range]", Lang.RunAsync),
        new("STAT", Transaction, Pop3Syntax.None, "STAT", Stat.RunAsync),
        new("LIST", Transaction, Pop3Syntax.OptionalMessage, "LIST [msg]", List.RunAsync),
        new("UIDL", Transaction, Pop3Syntax.OptionalMessage, "UIDL [msg]", Uidl.RunAsync),
        new("RETR", Transaction, Pop3Syntax.Message, "RETR msg", Retr.RunAsync),
        new("TOP", Transaction, Pop3Syntax.MessageAndLines, "TOP msg n", Top.RunAsync),
        new("DELE", Transaction, Pop3Syntax.Message, "DELE msg", Dele.RunAsync),
        new("NOOP", Transaction, Pop3Syntax.None, "NOOP", Noop.RunAsync),
        new("RSET", Transaction, Pop3Syntax.None, "RSET", Rset.RunAsync),
        new("QUIT", Both, Pop3Syntax.None, "QUIT", Quit.RunAsync),
    ];

    private static readonly Dictionary<uint, Pop3Command> ByKeyword =
        All.ToDictionary(command => Pack(System.Text.Encoding.ASCII.GetBytes(command.Keyword)));

    /// <summary>Case-insensitive; null for what is no command.</summary>
    public static Pop3Command? Find(ReadOnlySpan<byte> keyword) =>
        keyword.Length is 3 or 4 && ByKeyword.GetValueOrDefault(Pack(keyword)) is { } command && command.Keyword.Length == keyword.Length
            ? command
            : null;

    // Keywords are three or four letters long (RFC 1939 §3): the four octets in upper case are the key.
    private static uint Pack(ReadOnlySpan<byte> keyword)
    {
        var packed = 0u;
        foreach (var octet in keyword)
        {
            packed = (packed << 8) | (octet is >= (byte)'a' and <= (byte)'z' ? octet - 32u : octet);
        }

        return packed;
    }
}
