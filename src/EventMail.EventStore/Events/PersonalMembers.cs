using System.Text;
using System.Text.Json;

namespace EventMail.EventStore;

/// <summary>
/// The members of an event's type that say who somebody is: they are sealed under the key of the data subject whose stream it is. In the JSON
/// that is stored each has a stand-in instead, which is also what is read once the key is gone.
/// </summary>
public sealed class PersonalMembers
{
    internal sealed record Member(byte[] Name, byte[]? StandIn, Level? Level);

    internal sealed class Level
    {
        private Member[] _members = [];

        public Member? Find(ref Utf8JsonReader name)
        {
            foreach (var member in _members)
                if (name.ValueTextEquals(member.Name))
                    return member;
            return null;
        }

        public void Add(ReadOnlySpan<string> path, byte[] standIn)
        {
            var name = Encoding.UTF8.GetBytes(path[0]);
            var known = Array.Find(_members, m => m.Name.AsSpan().SequenceEqual(name));
            if (known is not null && (path.Length == 1 || known.Level is null))
                throw new ArgumentException($"{path[0]} is named twice", nameof(path));
            if (known is null)
                _members = [.. _members, known = new(name, path.Length == 1 ? standIn : null, path.Length == 1 ? null : new())];
            known.Level?.Add(path[1..], standIn);
        }
    }

    /// <param name="paths">
    /// A member's name, or names with dots between them where it is a member of a member, or of each element of an array. With "?" behind it
    /// its stand-in is null, with "[]" an empty array, else an empty string.
    /// </param>
    /// <param name="folded">States and read models that are folded from such events need what is sealed.</param>
    public PersonalMembers(bool folded, params IReadOnlyList<string> paths)
    {
        (IsFolded, Paths) = (folded, [.. paths.Select(path => path.TrimEnd('?').Replace("[]", "", StringComparison.Ordinal))]);
        foreach (var path in paths)
        {
            var (length, standIn) = path.EndsWith('?') ? (1, "null") : path.EndsWith("[]", StringComparison.Ordinal) ? (2, "[]") : (0, "\"\"");
            Top.Add(path[..^length].Split('.'), Encoding.UTF8.GetBytes(standIn));
        }
    }

    /// <summary>False: whoever folds such events does not look at what is sealed, and opens nothing.</summary>
    public bool IsFolded { get; }

    /// <summary>Which members they are, with dots between the names of members within members.</summary>
    public IReadOnlyList<string> Paths { get; }

    internal Level Top { get; } = new();
}
