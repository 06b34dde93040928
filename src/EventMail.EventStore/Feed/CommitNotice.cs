using System.Buffers.Text;
using System.Globalization;
using System.Text;

namespace EventMail.EventStore;

/// <summary>
/// What a commit tells the other nodes: `node|first-last|kind,tenant,stream,from,to;…`, where first and last are positions of the
/// log; a sixth field marks a stream with an event that <see cref="StreamKind.IsWide"/>. When that is too long for a payload the list is `*`: the readers find the streams by the positions.
/// </summary>
internal sealed record CommitNotice(Guid Node, long FirstSequence, long LastSequence, IReadOnlyList<CommitNotice.Stream>? Streams)
{
    public const string Channel = "eventmail_commits";

    /// <summary>PostgreSQL takes fewer than 8,000 bytes; the positions need up to 40.</summary>
    public const int MaxPayload = 7_900;

    private const int MaxPositions = 40;

    /// <param name="Wide">Also where nobody could tell.</param>
    public readonly record struct Stream(string Kind, StreamKey Key, long FromVersion, long ToVersion, bool Wide);

    /// <summary>The payload's parts before and after the positions, which only the database knows.</summary>
    public static (string Before, string After) Encode(Guid node, IReadOnlyList<StreamChange> changes)
    {
        var before = $"{node:n}|";
        var list = new StringBuilder("|");
        foreach (var change in changes)
        {
            list.Append(Uri.EscapeDataString(change.Kind.Name)).Append(',')
                .Append(Uri.EscapeDataString(change.Key.Tenant)).Append(',')
                .Append(Base64Url.EncodeToString(change.Key.Id.ToByteArray())).Append(',')
                .Append(change.FromVersion).Append(',').Append(change.ToVersion)
                .Append(change.Events.Any(e => change.Kind.IsWide(e.Data)) ? ",w;" : ";");
            if (before.Length + list.Length + MaxPositions > MaxPayload)
                return (before, "|*");
        }
        return (before, list.ToString());
    }

    public static CommitNotice? Decode(string payload)
    {
        var parts = payload.Split('|');
        if (parts.Length != 3 || !Guid.TryParseExact(parts[0], "n", out var node) || parts[1].Split('-') is not [var first, var last])
            return null;
        return new(node, Number(first), Number(last), parts[2] == "*" ? null : [.. DecodeStreams(parts[2])]);
    }

    private static IEnumerable<Stream> DecodeStreams(string list)
    {
        foreach (var entry in list.Split(';', StringSplitOptions.RemoveEmptyEntries))
        {
            var f = entry.Split(',');
            yield return new(
                Uri.UnescapeDataString(f[0]), new(Uri.UnescapeDataString(f[1]), new(Base64Url.DecodeFromChars(f[2]))),
                Number(f[3]), Number(f[4]), f.Length > 5);
        }
    }

    private static long Number(string text) => long.Parse(text, CultureInfo.InvariantCulture);
}
