using System.Text;
using EventMail.Protocols.Smtp.Reception;

namespace EventMail.Protocols.Filters.Rspamd;

/// <summary>The fields that rspamd wants in a message or out of it.</summary>
internal static class RspamdEdits
{
    private const string SpamFlag = "X-Spam";

    // RFC 2047 §2: an encoded-word has 75 characters at most.
    private const int OctetsOfWord = 42;

    public static void Apply(ReceivedMessage message, RspamdReply reply, bool isSpam)
    {
        var header = new EditableHeader(message);
        foreach (var (name, nth) in reply.Removed)
            Remove(header, name, nth);
        // A sender's own claim to be spam or none is not ours.
        header.RemoveAll(SpamFlag);
        // The first in rspamd's list stands above the others.
        foreach (var added in reply.Added.Reverse())
        {
            if (FieldText.Field(added.Name, added.Value) is { } field)
                header.Insert((uint)(added.Place ?? 0), field);
        }
        if (isSpam && header.Count(SpamFlag) == 0)
            header.Insert(0, $"{SpamFlag}: Yes\r\n");
        if (reply is { Action: "rewrite subject", Subject: { } subject } && FieldText.Field("Subject", Encoded(subject)) is { } rewritten)
        {
            if (!header.Change("Subject", 1, rewritten))
                header.Append(rewritten);
        }
        header.ApplyTo(message);
    }

    private static void Remove(EditableHeader header, string name, int nth)
    {
        if (nth == 0)
            header.RemoveAll(name);
        else if (nth > 0 || header.Count(name) + nth >= 0)
            header.Change(name, nth > 0 ? nth : header.Count(name) + nth + 1, null);
    }

    // RFC 2047
    private static string Encoded(string text)
    {
        if (Ascii.IsValid(text))
            return text;
        var words = new StringBuilder();
        var octets = new List<byte>(OctetsOfWord);
        Span<byte> buffer = stackalloc byte[4];
        foreach (var rune in text.EnumerateRunes())
        {
            var length = rune.EncodeToUtf8(buffer);
            if (octets.Count + length > OctetsOfWord)
                Flush();
            octets.AddRange(buffer[..length]);
        }
        Flush();
        return words.ToString();

        void Flush()
        {
            words.Append(words.Length > 0 ? "\n " : "").Append("=?utf-8?b?").Append(Convert.ToBase64String([.. octets])).Append("?=");
            octets.Clear();
        }
    }
}
