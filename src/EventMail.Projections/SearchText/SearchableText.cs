using System.Buffers;
using System.Text;
using EventMail.Domain.Messages;

namespace EventMail.Projections.SearchText;

/// <summary>
/// A content's text as it is kept: what BODY looks at apart from the fields that only TEXT looks at, prepared as
/// <see cref="TextMatcher"/> compares it, with a separator wherever that lets no match reach over. So a text contains a needle exactly
/// if the kept one contains the needle's <see cref="Keep(string)"/>, provided that it <see cref="CanBeFound"/>.
/// </summary>
internal sealed class SearchableText(int maxLength)
{
    // Noncharacters: no needle that is looked up has one.
    private const char Separator = '\uffff';
    private const char Unkept = '\ufffe';

    private const char CapitalSigma = '\u03a3';
    private const char SmallSigma = '\u03c3';

    private readonly ArrayBufferWriter<char> _header = new(512);
    private readonly ArrayBufferWriter<char> _body = new(2048);
    private DecodedTextKind _last = DecodedTextKind.Header;

    /// <summary>Of a content that could not be read: a search has to look for itself.</summary>
    public static SearchableText Nothing => new(0) { Complete = false };

    /// <summary>False: there is more than was kept.</summary>
    public bool Complete { get; private set; } = true;

    public int Length => _header.WrittenCount + _body.WrittenCount;

    /// <summary>The fields of the message's own header.</summary>
    public string Header => Kept(_header);

    /// <summary>The parts with their headers.</summary>
    public string Body => Kept(_body);

    /// <summary>A <see cref="DecodedTextSink"/>.</summary>
    public bool Add(ReadOnlySpan<char> text, DecodedTextKind kind)
    {
        var output = kind == DecodedTextKind.Header ? _header : _body;
        if ((kind != DecodedTextKind.Body || _last != DecodedTextKind.Body) && output.WrittenCount > 0)
            output.Write([Separator]);
        _last = kind;
        if (Length + text.Length > maxLength)
        {
            text = text[..Math.Max(0, maxLength - Length)];
            Complete = false;
        }
        output.Write(text);
        return Complete;
    }

    /// <summary>False for a needle with characters that are not kept as they are: NUL, which PostgreSQL has no place for, and such.</summary>
    public static bool CanBeFound(Needle needle)
    {
        var prepared = needle.Prepared;
        for (var i = 0; i < prepared.Length; i++)
        {
            if (!IsKept(prepared, i))
                return false;
        }
        return true;
    }

    /// <summary>The needle's prepared text with the cases of <see cref="Swap"/>.</summary>
    public static string Keep(string prepared) => string.Create(prepared.Length, prepared, (output, from) =>
    {
        for (var i = 0; i < output.Length; i++)
            output[i] = Swap(from[i]);
    });

    private static string Kept(ArrayBufferWriter<char> text)
    {
        var prepared = new ArrayBufferWriter<char>(text.WrittenCount + 16);
        UnicodeCasemap.Prepare(text.WrittenSpan, prepared);
        return string.Create(prepared.WrittenCount, prepared, (output, from) =>
        {
            var given = from.WrittenSpan;
            for (var i = 0; i < given.Length; i++)
                output[i] = given[i] == Separator || IsKept(given, i) ? Swap(given[i]) : Unkept;
        });
    }

    // Preparing makes capitals. pg_trgm makes small letters of them by the database's locale, which for some depends on what stands
    // beside them: so the trigrams of a needle might not be those of the text around it. Small letters it leaves alone.
    private static char Swap(char c) => c switch
    {
        >= 'A' and <= 'Z' => (char)(c + 32),
        >= 'a' and <= 'z' => (char)(c - 32),
        CapitalSigma => SmallSigma,
        _ => c,
    };

    private static bool IsKept(ReadOnlySpan<char> text, int at) => text[at] switch
    {
        '\0' or Unkept or Separator or SmallSigma => false,
        >= '\ud800' and < '\udc00' => at + 1 < text.Length && char.IsLowSurrogate(text[at + 1]),
        >= '\udc00' and < '\ue000' => at > 0 && char.IsHighSurrogate(text[at - 1]),
        _ => true,
    };
}
