using System.Collections.Immutable;
using System.Globalization;
using System.Text.RegularExpressions;

namespace EventMail.Protocols.Tests.Imap.Model;

/// <summary>An untagged response.</summary>
internal abstract partial record Untagged
{
    public sealed record Count(string What, int Number) : Untagged;

    public sealed record Vanished(bool Earlier, SortedSet<uint> Uids) : Untagged;

    /// <param name="Number">In a UIDFETCH the UID.</param>
    /// <param name="Flags">Without \Recent.</param>
    public sealed record Fetch(bool IsUidFetch, uint Number, uint? Uid, ImmutableSortedSet<string>? Flags, bool Recent, long? ModSeq) : Untagged;

    public sealed record FlagList(ImmutableSortedSet<string> Flags) : Untagged;

    /// <param name="Status">OK, NO, BYE …</param>
    public sealed record State(string Status, string? Code, string? Argument) : Untagged;

    public sealed record Search(List<uint> Numbers, long? ModSeq) : Untagged;

    public sealed record ESearch(string Tag, bool Uid, Dictionary<string, string> Items) : Untagged;

    public sealed record MailboxStatus(string Mailbox, Dictionary<string, long> Items) : Untagged;

    public sealed record Other(string Line) : Untagged;

    public static Untagged Parse(string line) =>
        CountPattern().Match(line) is { Success: true } count ? new Count(count.Groups["what"].Value, int.Parse(count.Groups["n"].Value, CultureInfo.InvariantCulture))
        : FetchPattern().Match(line) is { Success: true } fetch ? ParseFetch(fetch)
        : VanishedPattern().Match(line) is { Success: true } vanished ? new Vanished(vanished.Groups["earlier"].Success, Sets.Parse(vanished.Groups["uids"].Value))
        : StatePattern().Match(line) is { Success: true } state ? new State(state.Groups["status"].Value, Optional(state.Groups["code"]), Optional(state.Groups["argument"]))
        : FlagListPattern().Match(line) is { Success: true } flags ? new FlagList(ParseFlags(flags.Groups["flags"].Value))
        : SearchPattern().Match(line) is { Success: true } search ? new Search(
            [.. Words(search.Groups["numbers"].Value).Select(Sets.Number)], Optional(search.Groups["modseq"]) is { } m ? long.Parse(m, CultureInfo.InvariantCulture) : null)
        : ESearchPattern().Match(line) is { Success: true } extended ? new ESearch(
            extended.Groups["tag"].Value, extended.Groups["uid"].Success, Pairs(extended.Groups["items"].Value))
        : StatusPattern().Match(line) is { Success: true } status ? new MailboxStatus(
            status.Groups["name"].Value, Pairs(status.Groups["items"].Value).ToDictionary(item => item.Key, item => long.Parse(item.Value, CultureInfo.InvariantCulture)))
        : new Other(line);

    private static Fetch ParseFetch(Match match)
    {
        var items = match.Groups["items"].Value;
        var flags = FlagsPattern().Match(items) is { Success: true } f ? ParseFlags(f.Groups[1].Value) : null;
        return new(
            match.Groups["uidfetch"].Success,
            Sets.Number(match.Groups["n"].Value),
            UidPattern().Match(items) is { Success: true } uid ? Sets.Number(uid.Groups[1].Value) : null,
            flags?.Remove("\\Recent"),
            flags?.Contains("\\Recent") ?? false,
            ModSeqPattern().Match(items) is { Success: true } modSeq ? long.Parse(modSeq.Groups[1].Value, CultureInfo.InvariantCulture) : null);
    }

    private static string? Optional(Group group) => group.Success ? group.Value : null;

    private static ImmutableSortedSet<string> ParseFlags(string text) => ModelMessage.SetOf(Words(text));

    private static string[] Words(string text) => text.Split(' ', StringSplitOptions.RemoveEmptyEntries);

    private static Dictionary<string, string> Pairs(string text) =>
        Words(text).Chunk(2).ToDictionary(pair => pair[0], pair => pair[^1], StringComparer.Ordinal);

    [GeneratedRegex(@"^\* (?<n>\d+) (?<what>EXISTS|EXPUNGE|RECENT)$")]
    private static partial Regex CountPattern();

    [GeneratedRegex(@"^\* (?<n>\d+) (?<uidfetch>UID)?FETCH \((?<items>.*)\)$", RegexOptions.Singleline)]
    private static partial Regex FetchPattern();

    [GeneratedRegex(@"^\* VANISHED (?<earlier>\(EARLIER\) )?(?<uids>[\d:,]+)$")]
    private static partial Regex VanishedPattern();

    [GeneratedRegex(@"^\* (?<status>OK|NO|BAD|BYE|PREAUTH)(?: \[(?<code>[A-Z]+)(?: (?<argument>[^\]]*))?\])? ")]
    private static partial Regex StatePattern();

    [GeneratedRegex(@"^\* FLAGS \((?<flags>[^)]*)\)$")]
    private static partial Regex FlagListPattern();

    [GeneratedRegex(@"^\* SEARCH(?<numbers>[ \d]*?)(?: \(MODSEQ (?<modseq>\d+)\))?$")]
    private static partial Regex SearchPattern();

    [GeneratedRegex("^\\* ESEARCH \\(TAG \"(?<tag>[^\"]*)\"\\)(?<uid> UID)?(?<items>(?: [A-Z]+ [\\d:,]+)*)$")]
    private static partial Regex ESearchPattern();

    [GeneratedRegex(@"^\* STATUS (?<name>\S+) \((?<items>[^)]*)\)$")]
    private static partial Regex StatusPattern();

    [GeneratedRegex(@"(?:^| )UID (\d+)")]
    private static partial Regex UidPattern();

    [GeneratedRegex(@"FLAGS \(([^)]*)\)")]
    private static partial Regex FlagsPattern();

    [GeneratedRegex(@"MODSEQ \((\d+)\)")]
    private static partial Regex ModSeqPattern();
}
