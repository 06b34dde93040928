using Npgsql;

namespace EventMail.EventStore;

/// <summary>An event that is decided, with what is written of it.</summary>
internal record struct PendingEvent(StoredEvent Event, EventType Type, byte[] Json)
{
    /// <summary>In canonical form, where something of them is sealed (<see cref="BatchSealing"/>).</summary>
    public byte[]? SealedHeaders { get; set; }

    /// <summary>With the hash; there once the batch is linked (<see cref="BatchHashes"/>).</summary>
    public byte[] Headers { get; set; } = [];
}

/// <summary>Commands that are decided one after the other on the same working states and committed in one transaction.</summary>
internal sealed class Batch(IReadOnlyList<PendingCommand> commands, EventTypeMap types, DateTimeOffset now)
{
    private readonly record struct Decided(PendingCommand Command, Outcome Outcome);

    private readonly List<Decided> _decided = [];

    public IReadOnlyList<PendingCommand> Commands { get; } = commands;

    public EventTypeMap Types { get; } = types;

    public DateTimeOffset Now { get; } = now;

    public Dictionary<StreamKey, WorkingStream> Streams { get; } = [];

    public List<PendingEvent> Events { get; } = [];

    /// <summary>What the accepted commands store, possibly one content more than once.</summary>
    public List<StagedContent> Contents { get; } = [];

    /// <summary>What the accepted commands were decided on beside their streams.</summary>
    public List<CommitTerm> Terms { get; } = [];

    /// <summary>The keys of subjects that had none, once it is sealed (<see cref="BatchSealing"/>).</summary>
    public List<NewSubjectKey> SubjectKeys { get; } = [];

    /// <summary>What the accepted commands say beside their events.</summary>
    public List<CommitNote> Notes { get; } = [];

    /// <summary>Numbers of contents that are stored already and must be there at the commit.</summary>
    public List<long> Held { get; } = [];

    /// <summary>Numbers of contents that are given up.</summary>
    public List<long> Released { get; } = [];

    /// <summary>What must hold for that.</summary>
    public List<NpgsqlBatchCommand> Guards { get; } = [];

    /// <summary>A term of these commands did not hold when they were last written.</summary>
    public bool TermsFailed { get; init; }

    /// <summary>Commands that want something prepared first.</summary>
    public List<(PendingCommand Command, Func<CancellationToken, Task> Prepare)> Deferred { get; } = [];

    /// <summary>Commands that came behind a deferred one of their session.</summary>
    public List<PendingCommand> Behind { get; } = [];

    /// <summary>Commands that failed, alone.</summary>
    public List<(PendingCommand Command, Exception Error)> Failed { get; } = [];

    /// <summary>From here on the database may have committed it.</summary>
    public bool Sent { get; set; }

    public bool Writes => Events.Count > 0 || Contents.Count > 0 || Released.Count > 0;

    /// <summary>What the batch changes; the events get their Sequence when it is written.</summary>
    public CommitBatch Commit { get; private set; } = new([], [], false);

    public void Decide()
    {
        var decision = new Decision(this);
        foreach (var pending in Commands)
        {
            if (Failed.Count > 0 && Failed.Exists(f => f.Command == pending))
                continue; // its states could not be loaded
            if (Deferred.Count > 0 && pending.Session is { } session && Deferred.Exists(d => d.Command.Session == session))
            {
                Behind.Add(pending);
                continue;
            }
            decision.Begin(pending.Command);
            try
            {
                pending.Command.Decide(decision);
            }
            catch (Exception e)
            {
                decision.Discard();
                Failed.Add((pending, e));
                continue;
            }
            if (decision.Preparation is { } prepare)
            {
                decision.Discard();
                Deferred.Add((pending, prepare));
                continue;
            }
            if (decision.Rejection is not null)
                decision.Discard();
            _decided.Add(new(pending, new(decision.Rejection, decision.Result)));
        }
        Commit = new([.. Changed().Select(s => s.ToChange())], Distinct(Contents), Remote: false) { Terms = Terms, Notes = Notes };
    }

    /// <summary>The streams that got events, in the order in which their rows are locked.</summary>
    public IEnumerable<WorkingStream> Changed() => Streams.Values.Where(s => s.Events.Count > 0).OrderBy(s => s.Key.Id);

    /// <summary>Tells the callers. Only when everything is durable and published.</summary>
    public void Complete()
    {
        foreach (var (command, outcome) in _decided)
            command.Complete(outcome);
        foreach (var (command, error) in Failed)
            command.Fail(error);
    }

    private static List<StagedContent> Distinct(List<StagedContent> contents)
    {
        var numbers = new HashSet<long>();
        return contents.FindAll(c => numbers.Add(c.Number));
    }
}
