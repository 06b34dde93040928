namespace EventMail.EventStore;

/// <summary>
/// What a command sees and says while it decides. Valid only inside <see cref="Command.Decide"/>: the committer uses it again for
/// the next command.
/// </summary>
public sealed class Decision
{
    internal Decision() { }

    /// <summary>The batch's time: the timestamp of every event it appends. UTC, whole microseconds (what PostgreSQL keeps).</summary>
    public DateTimeOffset Now { get; internal set; }

    /// <summary>The command's answer, handed to its caller as <see cref="Outcome.Result"/> once everything is durable.</summary>
    public object? Result { get; set; }

    /// <summary>The stream's state including what this command has appended so far. The stream must be among the command's Streams.</summary>
    public T State<T>(StreamKey key) => throw new NotSupportedException();

    /// <summary>The version of <see cref="State{T}"/>: 0 for a stream that does not exist yet.</summary>
    public long Version(StreamKey key) => throw new NotSupportedException();

    /// <summary>Appends an event of a registered type. It gets the stream's next version.</summary>
    public void Append(StreamKey key, object @event) => throw new NotSupportedException();

    /// <summary>Makes a staged content durable together with the events. It must be among the command's Contents.</summary>
    public void Store(StagedContent content) => throw new NotSupportedException();

    /// <summary>Refuses the command with a value of the domain: nothing that it appended is kept.</summary>
    public void Reject(object rejection) => throw new NotSupportedException();

    /// <summary>
    /// Runs <paramref name="prepare"/> off the committer (a state to be loaded, for instance), then decides again.
    /// A command that defers more often than <see cref="EventLogOptions.MaxDeferrals"/> fails.
    /// </summary>
    public void Defer(Func<CancellationToken, Task> prepare) => throw new NotSupportedException();
}
