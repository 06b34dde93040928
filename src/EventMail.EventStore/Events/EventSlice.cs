namespace EventMail.EventStore;

/// <summary>
/// An event with those of its members that states and the tables that are folded with the commits are made of; the others are empty. Null where
/// the JSON is not of the shape that is written today: then all of it is read, and that says what it is.
/// </summary>
public delegate object? EventSlice(ReadOnlySpan<byte> json);
