namespace EventMail.EventStore;

/// <summary>Another node has committed to a stream.</summary>
/// <param name="Kind">The kind's name.</param>
/// <param name="Wide">One of the events may matter to whoever does not know the stream (<see cref="StreamKind.IsWide"/>).</param>
public readonly record struct StreamMoved(string Kind, StreamKey Key, bool Wide);
