using EventMail.Domain.Messages;

namespace EventMail.Host.Http.Capture;

/// <summary>Parts under the numbers that IMAP has for them (RFC 9051 §6.4.5.1): "2", "1.2"; a message of one part has a part "1".</summary>
internal static class PartNumbers
{
    /// <summary>All leaves, and messages inside with what is in them, in the order of the message.</summary>
    public static IEnumerable<(string Number, MessagePart Part)> Leaves(MessagePart root) => Below(root, "");

    public static IReadOnlyList<(string Number, MessagePart Part)> ChildrenOf(string number, MessagePart part)
    {
        var inner = part.EmbeddedMessage ?? part;
        // A message inside that is not multipart has a part 1.
        if (part.EmbeddedMessage is not null && inner.Kind != PartKind.Multipart)
            return [(Join(number, 1), inner)];
        return [.. inner.Parts.Select((child, i) => (Join(number, i + 1), child))];
    }

    private static IEnumerable<(string, MessagePart)> Below(MessagePart part, string number)
    {
        if (part.Kind != PartKind.Multipart)
            yield return (number.Length > 0 ? number : "1", part);
        // RFC 2046 §5.2: what a message inside holds is its own; it is shown below it, and is no attachment of this one.
        if (part.EmbeddedMessage is not null)
            number = number.Length > 0 ? number : "1";
        foreach (var (childNumber, child) in ChildrenOf(number, part))
        {
            foreach (var leaf in Below(child, childNumber))
                yield return leaf;
        }
    }

    private static string Join(string number, int child) => number.Length > 0 ? string.Create(null, $"{number}.{child}") : child.ToString(System.Globalization.CultureInfo.InvariantCulture);
}
