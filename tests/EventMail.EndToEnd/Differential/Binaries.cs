using System.Globalization;

namespace EventMail.EndToEnd.Differential;

/// <summary>
/// BINARY and BINARY.SIZE of every part that has no parts of its own (RFC 3516). Of the others Dovecot decodes the inner parts, too, which is no
/// decoding of the section, and sometimes ends when it has promised more octets than there are.
/// </summary>
internal static class Binaries
{
    public static async Task CompareAsync(PeerSession session, Answer whole, IReadOnlyList<string> names, Differences differences)
    {
        for (var number = 1; number <= names.Count; number++)
        {
            // A part that cannot be decoded refuses the whole command: each by itself.
            foreach (var part in Sections.Leaves(whole.Fetched[(number, "BODYSTRUCTURE")]).Append("99"))
            {
                var sizes = new List<int>();
                foreach (var item in (string[])[$"BINARY.SIZE[{part}]", $"BINARY.PEEK[{part}]", $"BINARY.PEEK[{part}]<7.100>"])
                {
                    var (ours, theirs) = await session.RunAsync(string.Create(CultureInfo.InvariantCulture, $"FETCH {number} {item}"));
                    sizes.AddRange(ours.Fetched.Values.Select(value => value.IsString ? value.Text.Length : value.IsNil ? 0 : int.Parse(value.Text, CultureInfo.InvariantCulture)));
                    foreach (var thing in ours.Said.Keys.Union(theirs.Said.Keys))
                    {
                        differences.Compare(names[number - 1], $"{item} → {thing[(thing.IndexOf(' ') + 1)..]}", ours.Said.GetValueOrDefault(thing), theirs.Said.GetValueOrDefault(thing));
                    }
                }

                // §4.3: the size MUST match what BINARY sends.
                (sizes.Count == 0 || sizes[0] == sizes[1]).ShouldBeTrue($"{names[number - 1]} {part}: {string.Join(' ', sizes)}");
            }
        }
    }
}
