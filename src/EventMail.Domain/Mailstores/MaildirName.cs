using System.Globalization;
using System.Text;
using EventMail.Domain.Mailboxes;

namespace EventMail.Domain.Mailstores;

/// <summary>The name of a message's file in a Maildir: "time.unique.host,S=size,W=size:2,FLAGS"; a to z are keywords of the folder's own.</summary>
/// <param name="Unique">What it keeps while its flags change.</param>
/// <param name="Time">When it was delivered, as the name says; null when it does not.</param>
public sealed record MaildirName(string Unique, DateTimeOffset? Time, IReadOnlyList<string> Flags)
{
    /// <summary>Keywords that a folder can have.</summary>
    public const int MaxKeywords = 26;

    private static readonly (char Letter, string Flag)[] Letters =
        [('D', @"\Draft"), ('F', @"\Flagged"), ('P', "$Forwarded"), ('R', @"\Answered"), ('S', @"\Seen"), ('T', @"\Deleted")];

    /// <param name="keywords">By letter from a on; null where a letter has none.</param>
    public static MaildirName Parse(string name, IReadOnlyList<string?> keywords)
    {
        // ":" is ";" or "!" on file systems that have no colons.
        var info = name.LastIndexOfAny([':', ';', '!']);
        if (info >= 0 && !name.AsSpan(info + 1).StartsWith("2,"))
            info = -1;
        var stem = info < 0 ? name : name[..info];
        var unique = stem.Split(',')[0];
        var flags = new List<string>();
        if (info >= 0)
        {
            foreach (var letter in name.AsSpan(info + 3))
            {
                var flag = letter is >= 'a' and <= 'z'
                    ? letter - 'a' < keywords.Count ? keywords[letter - 'a'] : null
                    : Array.Find(Letters, entry => entry.Letter == letter).Flag;
                if (flag is not null && FlagNames.Check(flag) is null && !flags.Contains(flag))
                    flags.Add(flag);
            }
        }
        var seconds = unique.Split('.')[0];
        return new(
            unique,
            long.TryParse(seconds, NumberStyles.None, CultureInfo.InvariantCulture, out var time) && time is > 0 and < 1L << 34
                ? DateTimeOffset.FromUnixTimeSeconds(time)
                : null,
            flags);
    }

    /// <param name="size">Octets of the file (S=), as Dovecot and quota programs read it.</param>
    /// <param name="wireSize">Octets with CRLF (W=).</param>
    /// <param name="keywords">Of the folder; what is not among them is left out.</param>
    public static string Write(string unique, long size, long wireSize, IReadOnlyList<string> flags, IReadOnlyList<string> keywords)
    {
        var letters = new StringBuilder();
        foreach (var (letter, flag) in Letters)
            if (flags.Contains(flag, StringComparer.OrdinalIgnoreCase))
                letters.Append(letter);
        for (var i = 0; i < keywords.Count && i < MaxKeywords; i++)
            if (flags.Contains(keywords[i], StringComparer.OrdinalIgnoreCase))
                letters.Append((char)('a' + i));
        return string.Create(CultureInfo.InvariantCulture, $"{unique},S={size},W={wireSize}:2,{letters}");
    }

    /// <summary>Dovecot's file dovecot-keywords: "0 name" on a line each.</summary>
    public static IReadOnlyList<string?> ReadKeywords(IEnumerable<string> lines)
    {
        var keywords = new string?[MaxKeywords];
        foreach (var line in lines)
        {
            var space = line.IndexOf(' ');
            if (space > 0 && int.TryParse(line.AsSpan(0, space), NumberStyles.None, CultureInfo.InvariantCulture, out var index) && index < MaxKeywords)
                keywords[index] = line[(space + 1)..].Trim();
        }
        return keywords;
    }
}
