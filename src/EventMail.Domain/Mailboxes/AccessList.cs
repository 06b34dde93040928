using System.Text;

namespace EventMail.Domain.Mailboxes;

/// <summary>
/// Whom a mailbox's owner lets do what (RFC 4314 §2). An identifier is an account's id, <see cref="Anyone"/>, or either behind "-"
/// for rights that are taken away. The owner is not in it: owners have all rights. Immutable; equal when they say the same.
/// </summary>
public sealed class AccessList : IEquatable<AccessList>
{
    /// <summary>Every account of this server. No account's id: those have eight characters.</summary>
    public const string Anyone = "anyone";

    public static readonly AccessList Empty = new([]);

    // By identifier.
    private readonly (string Identifier, Rights Rights)[] _entries;

    private AccessList((string, Rights)[] entries) => _entries = entries;

    public IReadOnlyList<(string Identifier, Rights Rights)> Entries => _entries;

    public bool IsEmpty => _entries.Length == 0;

    /// <summary>What the list says of one identifier.</summary>
    public Rights Of(string identifier)
    {
        foreach (var entry in _entries)
        {
            if (entry.Identifier == identifier)
                return entry.Rights;
        }
        return Rights.None;
    }

    /// <summary>What an account that is not the owner may do: its own rights and everybody's, without those taken from either.</summary>
    public Rights RightsOf(string account)
    {
        var (given, taken) = (Rights.None, Rights.None);
        foreach (var (identifier, rights) in _entries)
        {
            var negative = identifier[0] == '-';
            var who = identifier.AsSpan(negative ? 1 : 0);
            if (!who.SequenceEqual(account) && !who.SequenceEqual(Anyone))
                continue;
            if (negative)
                taken |= rights;
            else
                given |= rights;
        }
        return given & ~taken;
    }

    /// <param name="rights">None takes the entry away.</param>
    public AccessList With(string identifier, Rights rights)
    {
        var others = _entries.Where(e => e.Identifier != identifier);
        if (rights != Rights.None)
            others = others.Append((identifier, rights));
        (string, Rights)[] entries = [.. others.OrderBy(e => e.Identifier, StringComparer.Ordinal)];
        return entries.Length == 0 ? Empty : new(entries);
    }

    /// <summary>As a row keeps it: "abcdefgh =lr anyone =l", words that an index over words can find identifiers by.</summary>
    public override string ToString()
    {
        var text = new StringBuilder();
        foreach (var (identifier, rights) in _entries)
            text.Append(text.Length > 0 ? " " : "").Append(identifier).Append(" =").Append(RightsText.Of(rights));
        return text.ToString();
    }

    /// <param name="text">From <see cref="ToString"/>.</param>
    public static AccessList Parse(string text)
    {
        if (text.Length == 0)
            return Empty;
        var words = text.Split(' ');
        var entries = new (string, Rights)[words.Length / 2];
        for (var i = 0; i < entries.Length; i++)
        {
            if (!RightsText.TryParse(words[2 * i + 1][1..], out var rights, out _))
                throw new FormatException($"not an access list: {text}");
            entries[i] = (words[2 * i], rights);
        }
        return new(entries);
    }

    public bool Equals(AccessList? other) => other is not null && _entries.AsSpan().SequenceEqual(other._entries);

    public override bool Equals(object? obj) => Equals(obj as AccessList);

    public override int GetHashCode() => ToString().GetHashCode(StringComparison.Ordinal);
}
