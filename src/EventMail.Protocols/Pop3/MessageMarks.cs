using System.Collections;
using EventMail.Domain.Mailboxes;

namespace EventMail.Protocols.Pop3;

/// <summary>A set of a maildrop's messages by index: those that DELE marked, those that RETR sent. Costs nothing while empty.</summary>
internal struct MessageMarks(int count)
{
    private BitArray? _marks;

    public int Count { get; private set; }

    public readonly bool this[int index] => _marks is not null && _marks[index];

    /// <summary>False when it was marked already.</summary>
    public bool Add(int index)
    {
        _marks ??= new(count);
        if (_marks[index])
        {
            return false;
        }

        _marks[index] = true;
        Count++;
        return true;
    }

    public void Clear() => (_marks, Count) = (null, 0);

    /// <summary>The UIDs of the marked messages that <paramref name="where"/> picks (given the flag mask).</summary>
    public readonly UidSet Uids(MailboxView view, Func<int, ulong, bool>? where = null)
    {
        var uids = default(UidSet.Builder);
        if (_marks is null)
        {
            return uids.Build();
        }

        foreach (var slice in view.Slices())
        {
            for (var i = 0; i < slice.Length; i++)
            {
                if (_marks[slice.Start + i] && (where is null || where(slice.Start + i, slice.Flags[i])))
                {
                    uids.Add(slice.Uids[i]);
                }
            }
        }

        return uids.Build();
    }
}
