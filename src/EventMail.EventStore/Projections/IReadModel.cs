using Npgsql;

namespace EventMail.EventStore;

/// <summary>
/// Tables that can be thrown away and made again. They exist in generations: the live one, the one before it, and one that is being
/// built; see <see cref="ReadModelSchema"/>.
/// </summary>
public interface IReadModel
{
    string Name { get; }

    /// <summary>Raised when the tables' meaning changes: a generation of the new version is built from the first event. From 1.</summary>
    int Version => 1;

    /// <summary>Its tables, without their schema. None but those are moved when a generation is changed over.</summary>
    IReadOnlyList<string> Tables => [];

    /// <summary>Names of the read models without whose tables its own cannot be built: they are built together.</summary>
    IReadOnlyList<string> Needs => [];

    /// <summary>Columns of its tables that do not follow from the log: a claim on a row. They are not compared.</summary>
    IReadOnlyList<string> BesideTheLog => [];

    ReadModelSource Source => ReadModelSource.Log;

    /// <summary>
    /// Makes its tables if they are missing, in the schema that is first in the search path, and fills none. Runs at start and when
    /// a generation is begun, one node at a time, in a transaction of the connection. Servers may be at work on tables that are there:
    /// nothing may lock them.
    /// </summary>
    Task CreateAsync(NpgsqlConnection connection, CancellationToken cancel);

    /// <summary>
    /// Statements that take over what does not follow from the log (a claim on a row) when a generation is changed over, from the
    /// tables of the one schema to those of the other; none for most.
    /// </summary>
    string CarryOver(string from, string to) => "";
}

/// <summary>What a read model's rows are made of.</summary>
public enum ReadModelSource
{
    /// <summary>Events: the log says what every row must be.</summary>
    Log,

    /// <summary>Messages and what is derived from them: a row that is missing is made again when it is asked for.</summary>
    Contents,
}
