namespace EventMail.EventStore;

/// <summary>
/// What a command has to say, beside its events, to the inline projections and followers of the commit that know of it: what is no part of
/// the log and is lost with the tables that keep it.
/// </summary>
public abstract record CommitNote;
