using System.Text;
using EventMail.Domain.Messages;
using EventMail.Projections.Mailboxes;

namespace EventMail.Protocols.Imap.Searching;

/// <summary>FROM, TO, CC, BCC, SUBJECT and HEADER: a substring of a field's decoded text, whatever its case; "" asks for the field itself.</summary>
internal sealed record HeaderKey(byte[] Field, string Text) : PlainMessageKey
{
    private readonly bool _cached = MessageSummary.IsCachedField(Field);
    private readonly Needle _needle = new(Text);

    public override SearchCost Cost => _cached ? SearchCost.Summary : SearchCost.Content;

    protected override bool Matches(SearchedMessage message)
    {
        var header = message.Header(_cached);
        var at = 0;
        while (HeaderFields.TryNext(header, ref at, out var field))
        {
            if (FieldText.TryValue(field, Field, out var value)
                && (_needle.IsEmpty || _needle.IsIn(EncodedWords.Decode(value))))
                return true;
        }

        return false;
    }
}

/// <summary>SENTBEFORE, SENTON, SENTSINCE: the Date field's own day, whatever its time and zone. Without a date nothing matches.</summary>
internal sealed record SentKey(DateOnly First, DateOnly Last) : PlainMessageKey
{
    public override SearchCost Cost => SearchCost.Summary;

    protected override bool Matches(SearchedMessage message)
    {
        var header = message.Header(cachedWillDo: true);
        var at = 0;
        while (HeaderFields.TryNext(header, ref at, out var field))
        {
            if (!FieldText.TryValue(field, "Date"u8, out var value))
                continue;
            if (!MessageDate.TryParse(value, out var date))
                return false;
            var day = DateOnly.FromDateTime(date.DateTime);
            return day >= First && day <= Last;
        }

        return false;
    }
}

/// <summary>TEXT (with the header) and BODY (without it): a substring of the decoded text, whatever its case.</summary>
internal sealed record TextKey(string Text, bool InHeader) : PlainMessageKey
{
    public override SearchCost Cost => SearchCost.Content;

    public Needle Needle { get; } = new(Text);

    protected override bool Matches(SearchedMessage message) => DecodedText.Contains(message.Parts, message.Content, Needle, InHeader);
}

internal static class FieldText
{
    /// <summary>What is behind the colon, when the field has this name.</summary>
    public static bool TryValue(ReadOnlySpan<byte> field, ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value)
    {
        value = default;
        if (field.Length <= name.Length || !Ascii.EqualsIgnoreCase(field[..name.Length], name))
            return false;
        var rest = field[name.Length..].TrimStart(" \t"u8);
        if (rest.IsEmpty || rest[0] != (byte)':')
            return false;
        value = rest[1..].Trim(" \t\r\n"u8);
        return true;
    }
}
