using EventMail.Domain.Metadata;
using EventMail.Projections.Mailboxes;
using Npgsql;

namespace EventMail.Projections.Metadata;

/// <summary>
/// What one account sees of its mailboxes' annotations, for one LIST: read for some mailboxes at a time, since all of them together
/// may be gigabytes.
/// </summary>
public sealed class ListedMetadata
{
    /// <summary>Mailboxes that are read with one statement.</summary>
    public const int AtOnce = 32;

    private readonly NpgsqlDataSource _source;
    private readonly string _account;
    private readonly Guid[] _order;
    private readonly Dictionary<Guid, int> _places = [];
    private Dictionary<Guid, MetadataState> _states = [];
    private Range _read = ..0;

    internal ListedMetadata(NpgsqlDataSource source, string account, IReadOnlyList<MailboxEntry> mailboxes)
    {
        (_source, _account) = (source, account);
        _order = [.. mailboxes.Where(mailbox => mailbox.Selectable).Select(mailbox => mailbox.Id)];
        for (var i = 0; i < _order.Length; i++)
            _places[_order[i]] = i;
    }

    /// <summary>Mailboxes whose annotations are in memory.</summary>
    internal int Held => _states.Count;

    public async ValueTask<IReadOnlyList<MetadataValue>> OfAsync(MailboxEntry mailbox, CancellationToken cancel)
    {
        var values = new SortedMetadata();
        if (_places.TryGetValue(mailbox.Id, out var place))
        {
            if (place < _read.Start.Value || place >= _read.End.Value)
            {
                _read = place..Math.Min(place + AtOnce, _order.Length);
                _states = await MetadataRows.OfMailboxesAsync(_source, _order[_read], cancel).ConfigureAwait(false);
            }

            if (_states.TryGetValue(mailbox.Id, out var state))
                values.Add(state, _account);
        }

        values.AddSpecialUse(mailbox.SpecialUse);
        return values.ToList();
    }
}
