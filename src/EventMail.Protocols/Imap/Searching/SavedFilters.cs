using System.Text;

namespace EventMail.Protocols.Imap.Searching;

/// <summary>The named searches of an account (RFC 5466 §3.2): values of its server annotations, by name; private ones hide shared ones.</summary>
internal sealed class SavedFilters
{
    private const string Private = "/private/filters/values/";
    private const string Shared = "/shared/filters/values/";

    public static readonly SavedFilters None = new();

    // Entry names are compared whatever their case (RFC 5464 §4.1).
    private readonly Dictionary<string, byte[]> _values = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Read only for a command that may name one.</summary>
    public static async ValueTask<SavedFilters> ForAsync(ImapSession session, ImapCommand command)
    {
        if (!MayNameOne(command))
            return None;
        var (entries, _) = await session.Services.Metadata.GetAsync(session.User!.Id, "", session.Cancel).ConfigureAwait(false);
        var filters = new SavedFilters();
        foreach (var (entry, value) in entries ?? [])
        {
            if (entry.StartsWith(Private, StringComparison.OrdinalIgnoreCase))
                filters._values[entry[Private.Length..]] = value;
            else if (entry.StartsWith(Shared, StringComparison.OrdinalIgnoreCase))
                filters._values.TryAdd(entry[Shared.Length..], value);
        }

        return filters;
    }

    public byte[]? Find(ReadOnlySpan<byte> name) => _values.GetValueOrDefault(Encoding.ASCII.GetString(name));

    private static bool MayNameOne(ImapCommand command)
    {
        var text = command.Arguments.Rest;
        for (var at = 0; at + 6 <= text.Length; at++)
        {
            var next = text[at..].IndexOfAny((byte)'F', (byte)'f');
            if (next < 0)
                return false;
            at += next;
            if (text.Length - at >= 6 && Ascii.EqualsIgnoreCase(text.Slice(at, 6), "FILTER"u8))
                return true;
        }

        return false;
    }
}
