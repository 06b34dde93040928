namespace EventMail.EventStore;

/// <summary>A command was not carried out because nobody may append to a tenant's streams, for now or for good.</summary>
public sealed class TenantReadOnlyException(string tenant, string reason) : Exception($"{tenant} is read-only: {reason}")
{
    public string Tenant { get; } = tenant;

    public string Reason { get; } = reason;
}
