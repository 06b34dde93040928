namespace EventMail.EventStore;

/// <summary>The identity of a stream: conjoined tenancy, so the key is (tenant_id, id).</summary>
/// <param name="Tenant">The account's short immutable id, or <see cref="DefaultTenant"/> for what belongs to no account.</param>
/// <param name="Id">A UUIDv7.</param>
public readonly record struct StreamKey(string Tenant, Guid Id)
{
    /// <summary>Marten's tenant for streams that belong to nobody.</summary>
    public const string DefaultTenant = "*DEFAULT*";

    public static StreamKey Global(Guid id) => new(DefaultTenant, id);

    public override string ToString() => $"{Tenant}/{Id}";
}
