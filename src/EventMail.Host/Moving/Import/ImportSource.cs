namespace EventMail.Host.Moving.Import;

/// <summary>Where mail comes from. Folders are read one after the other, and a folder's messages one after the other.</summary>
internal interface IImportSource : IAsyncDisposable
{
    /// <summary>What <see cref="SourceMessage.Done"/> comes to at its end; known once its folders are being read, if at all.</summary>
    long? Total { get; }

    /// <summary>How far it is in words.</summary>
    string Show(long done);

    IAsyncEnumerable<SourceFolder> FoldersAsync(CancellationToken cancel);

    /// <summary>Folders that could not be looked into.</summary>
    IReadOnlyList<SkippedMessage> Unread => [];
}

/// <summary>A folder of a source.</summary>
/// <param name="name">As it is to be called here: UTF-8 with "/" between levels.</param>
/// <param name="specialUse">An attribute of RFC 6154, or null.</param>
internal abstract class SourceFolder(string name, string? specialUse)
{
    public string Name => name;

    public string? SpecialUse => specialUse;

    /// <summary>What could not be taken for a message so far.</summary>
    public List<SkippedMessage> Damaged { get; } = [];

    /// <summary>In the order in which they are to get their UIDs. Each is to be read, or passed over, before the next is asked for.</summary>
    public abstract IAsyncEnumerable<SourceMessage> MessagesAsync(CancellationToken cancel);
}

/// <summary>A message of a source.</summary>
/// <param name="where">For people and for the log: becomes the cause of its event.</param>
internal abstract class SourceMessage(string where)
{
    public string Where => where;

    /// <summary>True when <see cref="Where"/> names this message and no other, however often the source is read.</summary>
    public virtual bool IsNamed => false;

    /// <summary>How far the source is with it, of <see cref="IImportSource.Total"/>.</summary>
    public abstract long Done { get; }

    /// <summary>Why it cannot be a message here, as far as that is known without reading it.</summary>
    public virtual string? Problem => null;

    /// <summary>Octets, where the source says so beforehand.</summary>
    public virtual long? Size => null;

    /// <summary>Gives all of its octets away, then tells the rest.</summary>
    public abstract Task<SourceFacts> ReadAsync(MessageIntake intake, CancellationToken cancel);
}

/// <param name="Flags">Each of them one that a message may have here.</param>
/// <param name="Date">INTERNALDATE; null where the source does not know.</param>
/// <param name="Problem">Why it is no message after all; null for one that is.</param>
internal readonly record struct SourceFacts(IReadOnlyList<string> Flags, DateTimeOffset? Date, string? Problem = null);

/// <summary>Something that was not imported.</summary>
internal sealed record SkippedMessage(string Where, string Why);
