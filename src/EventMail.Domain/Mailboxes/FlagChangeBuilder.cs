using System.Numerics;

namespace EventMail.Domain.Mailboxes;

/// <summary>
/// Collects what a STORE changes, message by message in the order of UIDs. Most messages change as their neighbour does: what is
/// equal is put together as it comes, so that a message costs a comparison.
/// </summary>
internal ref struct FlagChangeBuilder()
{
    private readonly UidSet.Builder[] _added = new UidSet.Builder[64];
    private readonly UidSet.Builder[] _removed = new UidSet.Builder[64];
    private UidSet.Builder _all;
    private ulong _touched;

    // Of the messages from _first to _last, whose UIDs have no hole.
    private ulong _gained;
    private ulong _lost;
    private uint _first;
    private uint _last;

    /// <param name="gained">The mask of the flags that the message does not have and gets; with <paramref name="lost"/> 0 for none.</param>
    public void Add(uint uid, ulong gained, ulong lost)
    {
        if (gained == _gained && lost == _lost && uid == _last + 1)
        {
            _last = uid;
            return;
        }
        Flush();
        (_gained, _lost, _first, _last) = (gained, lost, uid, uid);
    }

    private void Flush()
    {
        if ((_gained | _lost) == 0)
            return;
        var range = new UidRange(_first, _last);
        _touched |= _gained | _lost;
        _all.Add(range);
        for (var mask = _gained; mask != 0; mask &= mask - 1)
            _added[BitOperations.TrailingZeroCount(mask)].Add(range);
        for (var mask = _lost; mask != 0; mask &= mask - 1)
            _removed[BitOperations.TrailingZeroCount(mask)].Add(range);
    }

    /// <param name="all">The messages that change.</param>
    /// <returns>A change per flag, in the table's order.</returns>
    public FlagChange[] Build(FlagTable table, out UidSet all)
    {
        Flush();
        (_gained, _lost) = (0, 0);
        all = _all.Build();
        var changes = new FlagChange[BitOperations.PopCount(_touched)];
        for (var i = 0; i < changes.Length; i++, _touched &= _touched - 1)
        {
            var bit = BitOperations.TrailingZeroCount(_touched);
            changes[i] = new(table.NameOf(bit), _added[bit].Build().ToString(), _removed[bit].Build().ToString());
        }
        return changes;
    }
}
