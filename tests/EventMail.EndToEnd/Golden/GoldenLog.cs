using System.Text.Json.Nodes;
using EventMail.EventStore;
using EventMail.Testing;
using Npgsql;

namespace EventMail.EndToEnd.Golden;

/// <summary>
/// A log as a version of the program wrote it (scripts/golden-log makes them): Golden/NAME.jsonl has its rows, Golden/NAME.txt what that
/// version said of it by IMAP.
/// </summary>
internal sealed class GoldenLog(string name)
{
    private static readonly string Folder = Path.Combine(AppContext.BaseDirectory, "Golden");

    public static IEnumerable<string> Names => Directory.EnumerateFiles(Folder, "*.jsonl").Select(path => Path.GetFileNameWithoutExtension(path)!).Order(StringComparer.Ordinal);

    /// <summary>How many events it has.</summary>
    public int Events { get; private set; }

    /// <summary>Who has mailboxes in it, in the order in which they were asked.</summary>
    public IEnumerable<string> Users => Answers.Where(line => line.StartsWith("# ", StringComparison.Ordinal)).Skip(1).Select(line => line[2..]);

    private string[] Answers => File.ReadAllLines(Path.Combine(Folder, name + ".txt"));

    /// <summary>What was asked for a user, and what was answered.</summary>
    public IEnumerable<(string Command, string[] Answers)> AskedBy(string user)
    {
        var lines = Answers;
        var prompt = user + "> ";
        for (var i = 0; i < lines.Length; i++)
        {
            if (lines[i].StartsWith(prompt, StringComparison.Ordinal))
                yield return (lines[i][prompt.Length..], [.. lines.Skip(i + 1).TakeWhile(line => line.StartsWith("* ", StringComparison.Ordinal))]);
        }
    }

    /// <summary>Lays it into a new database and a new data folder, where there is no read model yet.</summary>
    public async Task LoadAsync(TestDatabase database, string dataFolder)
    {
        await EventLog.PrepareAsync(database.ConnectionString, [], [], default);
        await using var connection = await database.DataSource.OpenConnectionAsync();
        foreach (var line in File.ReadLines(Path.Combine(Folder, name + ".jsonl")).Select(line => JsonNode.Parse(line)!))
        {
            if ((string?)line["file"] is { } file)
                WriteFile(Path.Combine(dataFolder, file), Convert.FromBase64String((string)line["data"]!));
            else
                await InsertAsync(connection, (string)line["table"]!, line["row"]!.AsObject());
        }
        await RunAsync(connection, "select setval('public.mt_events_sequence', max(seq_id)) from public.mt_events");
        await RunAsync(connection, "select setval('eventmail.content_number', max(number) + 1024) from eventmail.content");
        Events = (int)await RunAsync(connection, "select count(*) from public.mt_events");
    }

    // Columns that it does not have are younger than it.
    private static async Task InsertAsync(NpgsqlConnection connection, string table, JsonObject row)
    {
        var columns = string.Join(", ", row.Select(member => $"\"{member.Key}\""));
        await using var command = new NpgsqlCommand(
            $"insert into {table} ({columns}) select {columns} from jsonb_populate_record(null::{table}, $1::jsonb) on conflict do nothing", connection)
        {
            Parameters = { new() { Value = row.ToJsonString() } },
        };
        await command.ExecuteNonQueryAsync();
    }

    private static async Task<long> RunAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        return (long)(await command.ExecuteScalarAsync())!;
    }

    private static void WriteFile(string path, byte[] octets)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, octets);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }
}
