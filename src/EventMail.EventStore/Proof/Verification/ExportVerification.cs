using System.Security.Cryptography;
using System.Text.Json;

namespace EventMail.EventStore.Proof;

/// <summary>What an export of events says of itself.</summary>
/// <param name="Events">That were read.</param>
/// <param name="Unchained">Of them, those that are not a stream's first and have no predecessor's hash in them: written before hashes were, or by others.</param>
/// <param name="Faults">In words, with positions and lines of the file.</param>
public sealed record ExportReport(
    EventExportHeader Header, long Events, long Unchained, TreeHash Root, IReadOnlyList<CheckpointFinding> Checkpoints,
    IReadOnlyList<string> Faults, long MoreFaults)
{
    public bool Holds => Faults.Count == 0 && Checkpoints.All(c => c.Verdict == CheckpointVerdict.Holds);
}

/// <summary>
/// Checks an export with nothing but the file: every event follows the one before it in its stream, and the whole of it is the log of the
/// checkpoints. Not thread-safe.
/// </summary>
public sealed class ExportVerification
{
    /// <summary>More are counted only.</summary>
    public const int MaxFaults = 10_000;

    private readonly record struct Last(long Version, string Hash);

    private readonly Dictionary<(string Tenant, string Stream), Last> _streams = [];
    private readonly List<string> _faults = [];
    private long _more;
    private long _unchained;

    private ExportVerification()
    {
    }

    /// <param name="checkpoints">Only an export of the whole log can be held against them.</param>
    /// <exception cref="InvalidDataException">It is no export of events.</exception>
    public static async Task<ExportReport> RunAsync(Stream input, IReadOnlyList<Checkpoint> checkpoints, Action<long>? progress, CancellationToken cancel)
    {
        var reader = await EventExportReader.OpenAsync(input, cancel);
        return await new ExportVerification().RunAsync(reader, checkpoints, progress, cancel);
    }

    private async Task<ExportReport> RunAsync(EventExportReader reader, IReadOnlyList<Checkpoint> checkpoints, Action<long>? progress, CancellationToken cancel)
    {
        var tree = new Frontier();
        var roots = new Dictionary<long, TreeHash> { [0] = TreeHash.Empty };
        var sizes = checkpoints.Select(checkpoint => checkpoint.Size).ToHashSet();
        try
        {
            await foreach (var e in reader.ReadAsync(cancel))
            {
                Check(e, reader.Header.After == 0);
                tree.Add(e.Leaf.Hash);
                if (sizes.Contains(tree.Size))
                    roots[tree.Size] = tree.Root();
                progress?.Invoke(tree.Size);
            }
        }
        catch (InvalidDataException fault)
        {
            Add(fault.Message);
        }
        if (checkpoints.Count > 0 && !reader.Header.IsWholeLog)
            Add("it is not of the whole log: checkpoints say nothing of it");
        return new(
            reader.Header, tree.Size, _unchained, tree.Root(),
            reader.Header.IsWholeLog ? [.. checkpoints.Select(c => new CheckpointFinding(c, VerdictOf(c, roots), false))] : [],
            _faults, _more);
    }

    private static CheckpointVerdict VerdictOf(Checkpoint checkpoint, Dictionary<long, TreeHash> roots) =>
        !roots.TryGetValue(checkpoint.Size, out var root) ? CheckpointVerdict.LogIsShorter
        : root == checkpoint.Root ? CheckpointVerdict.Holds
        : CheckpointVerdict.Differs;

    private void Check(in ExportedEvent e, bool fromTheFirst)
    {
        if (LineFacts.TryRead(e.Line.Span) is not { } facts)
        {
            Add($"line {e.FileLine}, position {e.Position}: this is no event");
            return;
        }
        var stream = (facts.Tenant, facts.Stream);
        var name = $"line {e.FileLine}, position {e.Position}: {facts.Type}, version {facts.Version} of {facts.Tenant}/{facts.Stream},";
        var isKnown = _streams.TryGetValue(stream, out var last);
        if ((isKnown || fromTheFirst) && facts.Version > last.Version + 1)
            Add($"{name} follows version {last.Version}: what was between them is gone");
        else if (isKnown && facts.Version <= last.Version)
            Add($"{name} stands behind version {last.Version}: it was moved or inserted");
        else if (isKnown && facts.Previous is not null && facts.Previous != last.Hash)
            Add($"{name} does not follow the event before it in its stream: one of the two was changed");
        else if (facts.Version == 1 && facts.Previous is not null)
            Add($"{name} is its stream's first and follows another: it was changed");
        if (facts.Version > 1 && facts.Previous is null)
            _unchained++;
        _streams[stream] = new(facts.Version, EventHash.ToText(SHA256.HashData(e.Line.Span)));
    }

    private void Add(string fault)
    {
        if (_faults.Count < MaxFaults)
            _faults.Add(fault);
        else
            _more++;
    }

    /// <summary>What the chain needs of a canonical line.</summary>
    private readonly record struct LineFacts(string Tenant, string Stream, long Version, string Type, string? Previous)
    {
        public static LineFacts? TryRead(ReadOnlySpan<byte> line)
        {
            try
            {
                return Read(line);
            }
            catch (Exception error) when (error is JsonException or InvalidOperationException or FormatException)
            {
                return null;
            }
        }

        private static LineFacts? Read(ReadOnlySpan<byte> line)
        {
            var reader = new Utf8JsonReader(line, new JsonReaderOptions { MaxDepth = int.MaxValue });
            string? tenant = null, stream = null, type = null, previous = null;
            var version = 0L;
            reader.Read();
            if (reader.TokenType != JsonTokenType.StartObject)
                return null;
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var name = reader.GetString();
                reader.Read();
                switch (name)
                {
                    case "tenant":
                        tenant = reader.GetString();
                        break;
                    case "stream":
                        stream = reader.GetString();
                        break;
                    case "type":
                        type = reader.GetString();
                        break;
                    case "previous":
                        previous = reader.GetString();
                        break;
                    case "version":
                        version = reader.GetInt64();
                        break;
                    default:
                        reader.Skip();
                        break;
                }
            }
            return tenant is null || stream is null || type is null || version < 1 ? null : new(tenant, stream, version, type, previous);
        }
    }
}
