namespace EventMail.Domain.ReadModels;

// The events of the read models' stream, in the tenant that belongs to nobody: alarms.

/// <summary>Verification found rows of a read model that are not what the log says. Told again only when it finds others.</summary>
/// <param name="Generation">The live one, which was compared.</param>
/// <param name="Position">Up to where in the log it was compared.</param>
public sealed record ReadModelDrifted(string Model, int Generation, long Position, DriftedTable[] Tables);

/// <param name="Rows">So many of it, up to what verification looks at.</param>
/// <param name="Keys">The first of them, as JSON objects. Texts that may be of a person are left out: `projections verify` tells them.</param>
public sealed record DriftedTable(string Table, int Rows, string[] Keys);

/// <summary>Every row of a read model that had drifted is what the log says again.</summary>
public sealed record ReadModelDriftEnded(string Model, int Generation, long Position);
