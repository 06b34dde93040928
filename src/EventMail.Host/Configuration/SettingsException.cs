namespace EventMail.Host.Configuration;

/// <summary>Settings that cannot be used; one line per fault, each says what to do.</summary>
public sealed class SettingsException(IReadOnlyList<string> faults) : Exception(string.Join('\n', faults))
{
    public SettingsException(string fault)
        : this([fault])
    {
    }

    public IReadOnlyList<string> Faults { get; } = faults;
}
