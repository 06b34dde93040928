using Npgsql;

namespace EventMail.EventStore;

/// <summary>
/// What a command sees and says while it decides. Valid only inside <see cref="Command.Decide"/>: the committer uses it again for
/// the next command.
/// </summary>
public sealed class Decision
{
    private readonly record struct Undo(WorkingStream Stream, LoadedState State, int Events);

    private readonly Batch _batch;
    private readonly List<Undo> _undo = [];
    private Command _command = null!;
    private int _events;
    private int _contents;
    private int _terms;
    private int _notes;
    private int _held;
    private int _released;
    private int _guards;

    internal Decision(Batch batch) => _batch = batch;

    /// <summary>
    /// The batch's time: the timestamp of every event it appends, unless its stream has got a later one from a node whose clock is ahead. UTC,
    /// whole microseconds (what PostgreSQL keeps).
    /// </summary>
    public DateTimeOffset Now => _batch.Now;

    /// <summary>The command's answer, handed to its caller as <see cref="Outcome.Result"/> once everything is durable.</summary>
    public object? Result { get; set; }

    internal object? Rejection { get; private set; }

    internal Func<CancellationToken, Task>? Preparation { get; private set; }

    /// <summary>The stream's state including what this command has appended so far. The stream must be among the command's Streams.</summary>
    public T State<T>(StreamKey key) => (T)Stream(key).Current.State;

    /// <summary>The version of <see cref="State{T}"/>: 0 for a stream that does not exist yet.</summary>
    public long Version(StreamKey key) => Stream(key).Current.Version;

    /// <summary>
    /// A tenant's streams that the batch has changed so far, this command included, each as it will be committed: what is decided on
    /// more than the command's own streams must count them.
    /// </summary>
    public IEnumerable<(StreamKey Key, LoadedState State)> Changed(string tenant)
    {
        if (_batch.Events.Count == 0)
            yield break;
        foreach (var stream in _batch.Streams.Values)
            if (stream.Events.Count > 0 && stream.Key.Tenant == tenant)
                yield return (stream.Key, stream.Current);
    }

    /// <summary>Appends an event of a registered type. It gets the stream's next version.</summary>
    public void Append(StreamKey key, object @event)
    {
        var stream = Stream(key);
        var type = _batch.Types.Of(@event);
        var json = type.Write(@event);
        // The times of a stream never run backwards, whatever another node's clock says: "as of" an instant is found by halving.
        var time = Now >= stream.Current.Last.Time ? Now : stream.Current.Last.Time;
        var stored = new StoredEvent(
            0, Guid.CreateVersion7(time), key, stream.Current.Version + 1, type.Alias, @event, time, _command.Metadata);
        var state = stream.Kind.Evolve(stream.Current.State, stored);
        Remember(stream);
        stream.Current = new(state, stored.Version) { Last = new(null, time) };
        stream.Events.Add(stored);
        _batch.Events.Add(new(stored, type, json));
    }

    /// <summary>Makes a staged content durable together with the events. It must be among the command's Contents.</summary>
    public void Store(StagedContent content)
    {
        if (!_command.Contents.Contains(content))
            throw new InvalidOperationException("a content to be stored must be among the command's Contents");
        _batch.Contents.Add(content);
    }

    /// <summary>
    /// These contents, which are stored already, must be there at the commit. For commands that name what no message need name at that moment: what one
    /// names is not released. Where one is gone the command is decided again, with <see cref="TermsFailed"/>.
    /// </summary>
    public void Hold(IEnumerable<long> contents) => _batch.Held.AddRange(contents);

    /// <summary>
    /// Gives contents up, with their keys, in the transaction of the events that say so. Nobody must name them: the guard raises
    /// <see cref="CommitTerm.Conflict"/> where somebody came to. It is executed when no command that holds contents can commit any more.
    /// </summary>
    public void Release(IEnumerable<long> contents, NpgsqlBatchCommand? guard)
    {
        _batch.Released.AddRange(contents);
        if (guard is not null)
            _batch.Guards.Add(guard);
    }

    /// <summary>Other nodes' commits have broken a term of this command: what it was decided on must be read again.</summary>
    public bool TermsFailed => _batch.TermsFailed;

    /// <summary>
    /// Makes the commit depend on what no stream says. Where it does not hold then the command is decided again, with
    /// <see cref="TermsFailed"/>.
    /// </summary>
    public void Require(CommitTerm term) => _batch.Terms.Add(term);

    /// <summary>Says something beside the events, to those who know of it.</summary>
    public void Note(CommitNote note) => _batch.Notes.Add(note);

    /// <summary>Refuses the command with a value of the domain: nothing that it appended is kept.</summary>
    public void Reject(object rejection) => Rejection = rejection;

    /// <summary>
    /// Runs <paramref name="prepare"/> off the committer (a state to be loaded, for instance), then decides again.
    /// A command that defers more often than <see cref="EventLogOptions.MaxDeferrals"/> fails.
    /// </summary>
    public void Defer(Func<CancellationToken, Task> prepare) => Preparation = prepare;

    internal void Begin(Command command)
    {
        _command = command;
        (Result, Rejection, Preparation) = (null, null, null);
        _undo.Clear();
        (_events, _contents, _terms, _notes) = (_batch.Events.Count, _batch.Contents.Count, _batch.Terms.Count, _batch.Notes.Count);
        (_held, _released, _guards) = (_batch.Held.Count, _batch.Released.Count, _batch.Guards.Count);
    }

    /// <summary>Takes back everything the command appended.</summary>
    internal void Discard()
    {
        foreach (var (stream, state, events) in _undo)
        {
            stream.Current = state;
            stream.Events.RemoveRange(events, stream.Events.Count - events);
        }
        _batch.Events.RemoveRange(_events, _batch.Events.Count - _events);
        _batch.Contents.RemoveRange(_contents, _batch.Contents.Count - _contents);
        _batch.Terms.RemoveRange(_terms, _batch.Terms.Count - _terms);
        _batch.Notes.RemoveRange(_notes, _batch.Notes.Count - _notes);
        _batch.Held.RemoveRange(_held, _batch.Held.Count - _held);
        _batch.Released.RemoveRange(_released, _batch.Released.Count - _released);
        _batch.Guards.RemoveRange(_guards, _batch.Guards.Count - _guards);
    }

    private void Remember(WorkingStream stream)
    {
        foreach (var undo in _undo)
            if (undo.Stream == stream)
                return;
        _undo.Add(new(stream, stream.Current, stream.Events.Count));
    }

    private WorkingStream Stream(StreamKey key)
    {
        foreach (var stream in _command.Streams)
            if (stream.Key == key)
                return _batch.Streams[key];
        throw new InvalidOperationException($"{key} is not among the command's Streams");
    }
}
