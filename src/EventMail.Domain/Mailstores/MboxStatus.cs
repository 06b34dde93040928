using System.Globalization;
using System.Text;
using EventMail.Domain.Mailboxes;

namespace EventMail.Domain.Mailstores;

/// <summary>
/// The header fields in which programs keep what an mbox has no other place for: Status and X-Status (RO, AFDT), X-Keywords, and Thunderbird's
/// X-Mozilla-Status, X-Mozilla-Keys. They are no part of the message as it was sent.
/// </summary>
public sealed class MboxStatus
{
    private static readonly string[] Names =
    [
        "status", "x-status", "x-keywords", "x-uid", "x-imap", "x-imapbase", "x-mozilla-status", "x-mozilla-status2", "x-mozilla-keys",
    ];

    private static readonly (char Letter, string Flag)[] Letters =
        [('R', @"\Seen"), ('A', @"\Answered"), ('F', @"\Flagged"), ('D', @"\Deleted"), ('T', @"\Draft")];

    private static readonly (int Bit, string Flag)[] MozillaBits =
        [(0x1, @"\Seen"), (0x2, @"\Answered"), (0x4, @"\Flagged"), (0x1000, "$Forwarded")];

    private const int MozillaExpunged = 0x8;

    private readonly List<string> _flags = [];

    /// <summary>Without those that cannot be flags here.</summary>
    public IReadOnlyList<string> Flags => _flags;

    /// <summary>Thunderbird has deleted it and not yet taken it out of the file.</summary>
    public bool IsExpunged { get; private set; }

    /// <summary>The message that uw-imapd and Dovecot's mbox keep their own data in.</summary>
    public bool IsFolderData { get; private set; }

    /// <summary>Takes a field; false when it is part of the message.</summary>
    /// <param name="line">The first line of a header field.</param>
    public bool Take(ReadOnlySpan<byte> line)
    {
        var colon = line.IndexOf((byte)':');
        if (colon is < 5 or > 20)
            return false;
        var name = Encoding.Latin1.GetString(line[..colon]).TrimEnd().ToLowerInvariant();
        if (!Names.Contains(name))
            return false;
        var value = Encoding.UTF8.GetString(line[(colon + 1)..]).Trim();
        switch (name)
        {
            case "status" or "x-status":
                foreach (var (letter, flag) in Letters)
                    if (value.Contains(letter))
                        Add(flag);
                break;
            case "x-keywords" or "x-mozilla-keys":
                foreach (var keyword in value.Split(' ', StringSplitOptions.RemoveEmptyEntries))
                    Add(keyword);
                break;
            case "x-imap":
                IsFolderData = true;
                break;
            case "x-mozilla-status" when int.TryParse(value, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var bits):
                foreach (var (bit, flag) in MozillaBits)
                    if ((bits & bit) != 0)
                        Add(flag);
                IsExpunged = (bits & MozillaExpunged) != 0;
                break;
        }
        return true;
    }

    private void Add(string flag)
    {
        if (FlagNames.Check(flag) is null && !_flags.Contains(flag, StringComparer.OrdinalIgnoreCase))
            _flags.Add(flag);
    }

    /// <summary>The fields for these flags, with LF; nothing but Status: O where there are none.</summary>
    public static byte[] Write(IReadOnlyList<string> flags)
    {
        bool Has(string flag) => flags.Contains(flag, StringComparer.OrdinalIgnoreCase);
        var text = new StringBuilder(Has(@"\Seen") ? "Status: RO\n" : "Status: O\n");
        var others = string.Concat(Letters.Skip(1).Where(entry => Has(entry.Flag)).Select(entry => entry.Letter));
        if (others.Length > 0)
            text.Append("X-Status: ").Append(others).Append('\n');
        var keywords = flags.Where(flag => !flag.StartsWith('\\')).ToList();
        if (keywords.Count > 0)
            text.Append("X-Keywords: ").AppendJoin(' ', keywords).Append('\n');
        return Encoding.ASCII.GetBytes(text.ToString());
    }
}
