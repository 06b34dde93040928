using System.Globalization;
using EventMail.Bench;

// dotnet run -c Release --project bench/EventMail.Bench -- NAME [seconds per row, or how many] [connection string] [--reps N]
// Without a connection string an embedded PostgreSQL with the product's own settings is started in a temporary folder.

if (args is [BesideBench.Worker, var log, var folder, var share])
{
    await BesideBench.WorkAsync(log, folder, share);
    return 0;
}
var reps = 3;
if (Array.IndexOf(args, "--reps") is >= 0 and var at && at + 1 < args.Length)
{
    reps = int.Parse(args[at + 1], CultureInfo.InvariantCulture);
    args = [.. args[..at], .. args[(at + 2)..]];
}
var number = args.Length > 1 && args[1].Length > 0 ? double.Parse(args[1], CultureInfo.InvariantCulture) : (double?)null;
var seconds = TimeSpan.FromSeconds(number ?? 3);
var benches = new Dictionary<string, Func<BenchDatabase, Task>>
{
    ["append"] = database => AppendBench.RunAsync(database, seconds),
    ["ingest"] = database => IngestBench.RunAsync(database, seconds),
    ["content"] = database => ContentBench.RunAsync(database, seconds),
    ["read"] = ReadBench.RunAsync,
    ["sealing"] = database => SealingBench.RunAsync(database, seconds),
    ["keys"] = database => KeysBench.RunAsync(database, seconds),
    ["chain"] = database => ChainBench.RunAsync(database, seconds),
    ["queue"] = QueueBench.RunAsync,
    ["history"] = HistoryBench.RunAsync,
    ["tree"] = TreeBench.RunAsync,
    ["backup"] = BackupBench.RunAsync,
    ["restore"] = database => RestoreBench.RunAsync(database, (int)(number ?? 100_000)),
    ["rebuild"] = database => RebuildBench.RunAsync(database, (int?)number, reps),
    ["beside"] = database => BesideBench.RunAsync(database, (int?)number, reps),
    ["verify"] = database => VerifyBench.RunAsync(database, (int?)number, reps),
    ["past"] = database => PastBench.RunAsync(database, (int)(number ?? 1_000_000)),
};
if (args is ["dkim", ..])
{
    await DkimBench.RunAsync(seconds);
    return 0;
}
if (args is not [var name, ..] || !benches.TryGetValue(name, out var bench))
{
    Console.Error.WriteLine($"usage: dkim|{string.Join('|', benches.Keys)} [seconds per row, or how many] [connection string] [--reps N]");
    return 2;
}
await using var database = await BenchDatabase.OpenAsync(args.Length > 2 ? args[2] : null);
await bench(database);
return 0;
