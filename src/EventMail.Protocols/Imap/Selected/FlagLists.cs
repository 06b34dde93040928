using System.Numerics;
using System.Text;
using EventMail.Domain.Mailboxes;

namespace EventMail.Protocols.Imap.Selected;

/// <summary>
/// Flag lists as they are sent, "(\Seen Work)", each made once: a mailbox has few distinct ones however many messages it has.
/// Lives for one command.
/// </summary>
internal sealed class FlagLists(FlagTable table)
{
    // MailboxLimits.MaxKeywordsPerMailbox leaves this bit free.
    private const ulong Recent = 1UL << 63;

    private readonly Dictionary<ulong, byte[]> _rendered = [];
    private ulong _lastKey;
    private byte[]? _last;

    public byte[] Of(ulong mask, bool recent)
    {
        var key = recent ? mask | Recent : mask;
        if (_last is not null && key == _lastKey)
            return _last;
        if (!_rendered.TryGetValue(key, out var list))
            _rendered[key] = list = Render(key);
        _lastKey = key;
        return _last = list;
    }

    private byte[] Render(ulong key)
    {
        var text = new StringBuilder("(");
        if ((key & Recent) != 0)
            text.Append("\\Recent");
        for (var rest = key & ~Recent; rest != 0; rest &= rest - 1)
        {
            if (text.Length > 1)
                text.Append(' ');
            text.Append(table.NameOf(BitOperations.TrailingZeroCount(rest)));
        }

        return Encoding.ASCII.GetBytes(text.Append(')').ToString());
    }
}
