using EventMail.EventStore.Embedded;
using EventMail.Host.Capture;
using EventMail.Host.Configuration;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace EventMail.Host.Composition;

/// <summary>The PostgreSQL in use: the embedded one of the data folder, or the operator's own.</summary>
public sealed class HostDatabase : IAsyncDisposable
{
    private readonly EmbeddedPostgres? _embedded;

    private HostDatabase(string connectionString, string libpqUrl, EmbeddedPostgres? embedded) =>
        (ConnectionString, LibpqUrl, _embedded) = (connectionString, libpqUrl, embedded);

    /// <summary>Its processes run on this machine, as this user or one that this user chose.</summary>
    public bool IsEmbedded => _embedded is not null;

    /// <summary>For Npgsql.</summary>
    public string ConnectionString { get; }

    /// <summary>For psql and other libpq programs; holds the password.</summary>
    public string LibpqUrl { get; }

    /// <summary>For the server: starts the embedded PostgreSQL and keeps it running.</summary>
    public static async Task<HostDatabase> StartAsync(HostSettings settings, ILoggerFactory logs, CancellationToken cancel) =>
        External(settings)
        ?? Embedded(await EmbeddedPostgres.StartAsync(OptionsOf(settings), logs.CreateLogger("EventMail.Postgres"), cancel));

    /// <summary>For a capturing server: the embedded one, which nothing waits for.</summary>
    public static async Task<HostDatabase> StartThrowAwayAsync(HostSettings settings, ILoggerFactory logs, CancellationToken cancel) =>
        Embedded(await EmbeddedPostgres.StartAsync(ThrowAwayOptionsOf(settings), logs.CreateLogger("EventMail.Postgres"), cancel));

    /// <summary>Makes what <see cref="StartThrowAwayAsync"/> copies, unless it is there.</summary>
    public static Task PrepareThrowAwayAsync(HostSettings settings, ILoggerFactory logs, CancellationToken cancel) =>
        EmbeddedPostgres.PrepareAsync(ThrowAwayOptionsOf(settings), logs.CreateLogger("EventMail.Postgres"), cancel);

    /// <summary>For a command: uses the server's PostgreSQL while it runs, else one that is started for as long as the command takes.</summary>
    public static async Task<HostDatabase> AttachAsync(HostSettings settings, ILoggerFactory logs, CancellationToken cancel) =>
        External(settings)
        ?? Embedded(await EmbeddedPostgres.AttachOrStartAsync(OptionsOf(settings), logs.CreateLogger("EventMail.Postgres"), cancel));

    /// <summary>The URL of a database that runs now; null when the embedded one does not.</summary>
    public static string? RunningUrl(HostSettings settings) =>
        External(settings)?.LibpqUrl ?? EmbeddedPostgres.FindRunning(settings.Data);

    public ValueTask DisposeAsync() => _embedded?.DisposeAsync() ?? ValueTask.CompletedTask;

    private static HostDatabase Embedded(EmbeddedPostgres embedded) => new(embedded.ConnectionString, embedded.LibpqUrl, embedded);

    private static HostDatabase? External(HostSettings settings)
    {
        if (settings.Database.ConnectionString is not { Length: > 0 } text)
            return null;
        try
        {
            var connection = LibpqUrls.IsUrl(text) ? LibpqUrls.Parse(text) : new NpgsqlConnectionStringBuilder(text);
            return new(connection.ConnectionString, LibpqUrls.Write(connection), null);
        }
        catch (Exception error) when (error is ArgumentException or FormatException)
        {
            throw new SettingsException($"Database:ConnectionString cannot be read: {error.Message}");
        }
    }

    private static EmbeddedPostgresOptions OptionsOf(HostSettings settings) => new()
    {
        DataFolder = settings.Data,
        BinPath = NullIfEmpty(settings.Database.BinPath),
        RunAs = NullIfEmpty(settings.Database.RunAs),
        Port = settings.Database.Port.IsOn ? settings.Database.Port.Number : null,
        Settings = settings.Database.Settings,
    };

    private static EmbeddedPostgresOptions ThrowAwayOptionsOf(HostSettings settings) => OptionsOf(settings) with
    {
        ThrowAway = true,
        Template = CacheFolder() is { } folder ? new(folder, MailStore.Schema, MailStore.PrepareAsync, CaptureData.Prefix) : null,
    };

    // The XDG base directory specification's; none where there is no home.
    private static string? CacheFolder() =>
        NullIfEmpty(Environment.GetEnvironmentVariable("XDG_CACHE_HOME") ?? "") is { } cache ? Path.Combine(cache, "eventmail")
        : NullIfEmpty(Environment.GetEnvironmentVariable("HOME") ?? "") is { } home ? Path.Combine(home, ".cache", "eventmail")
        : null;

    private static string? NullIfEmpty(string text) => text.Length > 0 ? text : null;
}
