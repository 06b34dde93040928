using System.Runtime.InteropServices;

namespace EventMail.EventStore;

/// <summary>
/// Links the events of a batch to those before them, when it is decided and about to be written: what is decided again is linked again. The
/// committer's: not thread-safe.
/// </summary>
internal sealed class BatchHashes
{
    private readonly HeaderForms _headers = new();

    public void Link(Batch batch)
    {
        foreach (ref var pending in CollectionsMarshal.AsSpan(batch.Events))
        {
            var (e, type, json) = (pending.Event, pending.Type, pending.Json);
            var (metadata, stream) = (e.Metadata, batch.Streams[e.Stream]);
            var headers = pending.SealedHeaders ?? _headers.Of(metadata.HeadersJson);
            var hash = EventHash.Of(
                new(e.Stream.Tenant, e.Stream.Id, e.Version, e.Id, type.Alias, type.DotnetType, e.Timestamp,
                    metadata.UserName, metadata.CorrelationId, metadata.CausationId, headers, json, stream.Hash),
                headersAreCanonical: true);
            stream.Hash = e.HashOctets = hash;
            pending.Headers = HashHeader.Add(headers, hash);
        }
    }
}
