using System.Text.Json.Serialization;
using EventMail.Domain.Accounts;
using EventMail.Domain.Metadata;
using EventMail.EventStore;
using Npgsql;

namespace EventMail.Projections.Metadata;

/// <summary>
/// Streams of annotations: one per mailbox, one per account for its private ones of the server, one for all accounts. Not the
/// mailbox's own stream, whose version is the HIGHESTMODSEQ of its messages. A state is loaded as its row.
/// </summary>
public sealed class MetadataKind : StreamKind
{
    public static readonly MetadataKind Instance = new();

    private MetadataKind() { }

    public override string Name => "metadata";

    // Sessions of every node are told.
    public override bool FollowRemote => true;

    /// <param name="mailbox">Its stream.</param>
    public static StreamRef OfMailbox(StreamKey mailbox) => new(Instance, new(mailbox.Tenant, AccountStreams.Metadata(mailbox.Id)));

    public static StreamRef OfAccount(string account) => new(Instance, new(account, AccountStreams.Metadata(account)));

    public static StreamRef OfServer { get; } = new(Instance, StreamKey.Global(AccountStreams.ServerMetadata()));

    public override object Empty(StreamKey key) => MetadataState.Empty;

    public override string HeaderTable => "metadata";

    public override async Task<IReadOnlyDictionary<StreamKey, LoadedState>> LoadHeadersAsync(
        NpgsqlConnection connection, IReadOnlyList<StreamKey> keys, CancellationToken cancel) =>
        (await MetadataRows.LoadAsync(connection, keys, cancel)).Where(row => row.Version > 0)
            .ToDictionary(row => row.Key, row => new LoadedState(row.State, row.Version));

    public override object Evolve(object state, StoredEvent e) => ((MetadataState)state).Evolve((MetadataSet)e.Data);

    public override int Weight(object state) => 1 + (int)(((MetadataState)state).Octets / 1024);

    public override async Task<IReadOnlyDictionary<StreamKey, LoadedState>> LoadAsync(
        NpgsqlConnection connection, EventReader reader, IReadOnlyList<StreamKey> keys, CancellationToken cancel)
    {
        var states = new Dictionary<StreamKey, LoadedState>(keys.Count);
        List<StreamKey>? behind = null;
        foreach (var (key, state, version, streamVersion) in await MetadataRows.LoadAsync(connection, keys, cancel))
        {
            states[key] = new(state, version);
            if (version < streamVersion)
                (behind ??= []).Add(key);
        }
        // Another application appended, or the rows are being built: the log decides.
        foreach (var key in behind ?? [])
            states[key] = await reader.FoldTailAsync(this, connection, key, states[key], null, cancel);
        return states;
    }
}

/// <summary>The aliases under which events of annotations are stored.</summary>
public static class MetadataEventTypes
{
    public static EventTypeMap RegisterMetadataEvents(this EventTypeMap types) => types.Register("metadata_set", MetadataJson.Default.MetadataSet);
}

// Not the generated fast path: it writes a byte[] that is null as an empty one.
[JsonSourceGenerationOptions(GenerationMode = JsonSourceGenerationMode.Metadata)]
[JsonSerializable(typeof(MetadataSet))]
internal sealed partial class MetadataJson : JsonSerializerContext;
