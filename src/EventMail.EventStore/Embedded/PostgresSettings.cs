using System.Globalization;
using System.Text;

namespace EventMail.EventStore.Embedded;

/// <summary>
/// The settings of the embedded cluster: written to `eventmail.conf` in its folder at each start. Safe first (a 250 means that
/// the mail is on the disk), then for a small machine that does mail and nothing else.
/// </summary>
internal static class PostgresSettings
{
    private const long MiB = 1 << 20;

    public static string Render(EmbeddedPostgresOptions options, PostgresBinaries binaries, string? socketFolder, int? port)
    {
        // Honours a container's limit.
        var memory = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        string Share(int divisor, long least, long most) => $"{Math.Clamp(memory / divisor / MiB, least, most)}MB";

        var settings = new Dictionary<string, string>
        {
            ["listen_addresses"] = port is null ? "" : "127.0.0.1",
            ["port"] = (port ?? EmbeddedPostgres.SocketPort).ToString(CultureInfo.InvariantCulture),
            ["unix_socket_directories"] = socketFolder ?? "",
            ["unix_socket_permissions"] = "0700",
            ["password_encryption"] = "scram-sha-256",
            ["max_connections"] = EmbeddedPostgres.MaxConnections.ToString(CultureInfo.InvariantCulture),

            ["fsync"] = "on",
            ["synchronous_commit"] = "on",
            ["full_page_writes"] = "on",

            ["shared_buffers"] = Share(8, 64, 2048),
            ["effective_cache_size"] = Share(2, 256, 1 << 20),
            ["work_mem"] = "16MB",
            ["maintenance_work_mem"] = Share(32, 64, 512),
            ["wal_buffers"] = "16MB",
            // Rare, spread-out checkpoints: each one makes every page it touches be written whole once more.
            ["checkpoint_timeout"] = "15min",
            ["max_wal_size"] = "4GB",
            ["min_wal_size"] = "512MB",
            ["checkpoint_completion_target"] = "0.9",
            ["random_page_cost"] = "1.1",
            // Our statements are short: compiling one costs more than running it.
            ["jit"] = "off",
            ["idle_in_transaction_session_timeout"] = "5min",
            // Mail is appended: let inserts alone bring on a vacuum early, it keeps visibility maps and statistics fresh.
            ["autovacuum_naptime"] = "15s",
            ["autovacuum_vacuum_scale_factor"] = "0.05",
            ["autovacuum_analyze_scale_factor"] = "0.05",
            ["autovacuum_vacuum_cost_limit"] = "1000",

            ["logging_collector"] = "on",
            ["log_directory"] = "log",
            ["log_filename"] = "postgresql-%a.log",
            ["log_truncate_on_rotation"] = "on",
            ["log_rotation_age"] = "1d",
            ["log_rotation_size"] = "0",
            ["log_line_prefix"] = "%m [%p] ",
            ["log_timezone"] = "UTC",
            ["timezone"] = "UTC",
            ["lc_messages"] = "C",
            ["cluster_name"] = "eventmail",
            ["update_process_title"] = "off",
        };
        if (options.ThrowAway)
        {
            foreach (var name in (string[])["fsync", "synchronous_commit", "full_page_writes"])
                settings[name] = "off";
            settings["shared_buffers"] = "64MB";
            settings["min_wal_size"] = "2MB";
        }
        if (HasLz4(binaries))
        {
            settings["default_toast_compression"] = "lz4";
            if (binaries.MajorVersion >= 15)
                settings["wal_compression"] = "lz4";
        }
        foreach (var (name, value) in options.Settings)
            settings[name] = value;

        var text = new StringBuilder("# Written by eventmail at each start. Change settings with Database:Settings:NAME instead.\n");
        foreach (var (name, value) in settings)
            text.Append(CultureInfo.InvariantCulture, $"{name} = '{value.Replace("'", "''")}'\n");
        return text.ToString();
    }

    // Compiled in since 14 where the distribution wishes it: pg_config would tell, but is in a package of its own on Red Hat.
    private static bool HasLz4(PostgresBinaries binaries) =>
        binaries.MajorVersion >= 14 && File.ReadAllBytes(binaries.Postgres).AsSpan().IndexOf("LZ4_compress_default"u8) >= 0;
}
