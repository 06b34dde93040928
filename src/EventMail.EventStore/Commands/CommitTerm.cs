namespace EventMail.EventStore;

/// <summary>
/// Something that a command was decided on and that no stream of its says (a total over streams of others), to be checked by the inline
/// projection that keeps it, in the transaction of the events. That projection raises <see cref="Conflict"/> where it does not hold.
/// </summary>
public abstract record CommitTerm
{
    /// <summary>The SQLSTATE to raise: the batch is decided again.</summary>
    public const string Conflict = BatchWriter.TermConflict;
}
