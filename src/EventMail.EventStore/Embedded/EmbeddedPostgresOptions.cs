namespace EventMail.EventStore.Embedded;

public sealed record EmbeddedPostgresOptions
{
    /// <summary>EventMail's data folder; the cluster lies in its sub-folder `postgres` (see <see cref="ElsewhereRoot"/>).</summary>
    public required string DataFolder { get; init; }

    /// <summary>The folder with `postgres` and `initdb`; found by itself when null.</summary>
    public string? BinPath { get; init; }

    /// <summary>The account PostgreSQL runs as when we are root; `postgres`, else `nobody`, when null.</summary>
    public string? RunAs { get; init; }

    /// <summary>Null: a Unix socket in the cluster's folder, nothing else. 0: any free loopback port beside it.</summary>
    public int? Port { get; init; }

    /// <summary>postgresql.conf settings that win over ours.</summary>
    public IReadOnlyDictionary<string, string> Settings { get; init; } = new Dictionary<string, string>();

    /// <summary>What is in it may be lost with the machine (capture mode): nothing waits for the disk.</summary>
    public bool ThrowAway { get; init; }

    /// <summary>Clusters are copied from it; null: each is made anew.</summary>
    public TemplateOptions? Template { get; init; }

    /// <summary>Where the cluster goes when PostgreSQL's account cannot enter the data folder (below /root, say).</summary>
    public string ElsewhereRoot { get; init; } = "/var/lib/eventmail-postgres";

    /// <summary>How long a stop waits for PostgreSQL's last checkpoint before it is stopped at once.</summary>
    public TimeSpan StopPatience { get; init; } = TimeSpan.FromSeconds(60);
}
