namespace EventMail.Host.Moving.Export;

/// <summary>What an export of events found of a log that is not as it was written. It is exported all the same: as evidence.</summary>
internal sealed class ExportDamages
{
    /// <summary>Those that are told one by one.</summary>
    private const int Told = 20;

    private readonly List<string> _first = [];

    public long Count { get; private set; }

    public IReadOnlyList<string> First => _first;

    public void Add(string damage)
    {
        Count++;
        if (_first.Count < Told)
            _first.Add(damage);
    }
}
