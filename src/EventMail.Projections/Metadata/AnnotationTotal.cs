using EventMail.Domain;
using EventMail.Domain.Metadata;
using EventMail.EventStore;

namespace EventMail.Projections.Metadata;

/// <summary>What an account had annotated in all before a command, and how much it may: in octets of names and values.</summary>
internal readonly record struct AnnotationTotal(string Account, long Used, long Limit)
{
    /// <summary>Null when there is room for what the account has more of after than before; less is always right.</summary>
    public Rejection? Refuse(StreamKey stream, MetadataState before, MetadataState after)
    {
        var more = after.OctetsBy(stream.Tenant).GetValueOrDefault(Account) - before.OctetsBy(stream.Tenant).GetValueOrDefault(Account);
        return more > 0 && Used + more > Limit ? MetadataRejections.TooMuch : null;
    }
}
