namespace EventMail.EventStore;

/// <summary>Whom an event is about: the account whose stream it is in, its tenant. What is in nobody's tenant is a subject for each stream.</summary>
public static class DataSubject
{
    public static string Of(StreamKey stream) =>
        stream.Tenant == StreamKey.DefaultTenant ? stream.Id.ToString("n") : stream.Tenant;

    /// <summary>True for a stream of that subject's.</summary>
    public static bool Has(string subject, StreamKey stream) => Of(stream) == subject;
}
