using EventMail.Bench;

// dotnet run -c Release --project bench/EventMail.Bench -- append|ingest|content|read|keys|chain|queue|tree|backup|past|dkim [seconds per row] [connection string]
// Without a connection string an embedded PostgreSQL with the product's own settings is started in a temporary folder.

if (args is not [var what, ..] || what is not ("append" or "ingest" or "content" or "read" or "keys" or "chain" or "queue" or "tree" or "backup" or "past" or "dkim"))
{
    Console.Error.WriteLine("usage: append|ingest|content|read|keys|chain|queue|tree|backup|past|dkim [seconds per row] [connection string]");
    return 2;
}
var seconds = args.Length > 1 && args[1].Length > 0 ? double.Parse(args[1], System.Globalization.CultureInfo.InvariantCulture) : 3;
if (what == "dkim")
{
    await DkimBench.RunAsync(TimeSpan.FromSeconds(seconds));
    return 0;
}
await using var database = await BenchDatabase.OpenAsync(args.Length > 2 ? args[2] : null);
await (what switch
{
    "append" => AppendBench.RunAsync(database, TimeSpan.FromSeconds(seconds)),
    "ingest" => IngestBench.RunAsync(database, TimeSpan.FromSeconds(seconds)),
    "content" => ContentBench.RunAsync(database, TimeSpan.FromSeconds(seconds)),
    "keys" => KeysBench.RunAsync(database, TimeSpan.FromSeconds(seconds)),
    "chain" => ChainBench.RunAsync(database, TimeSpan.FromSeconds(seconds)),
    "queue" => QueueBench.RunAsync(database),
    "tree" => TreeBench.RunAsync(database),
    "backup" => BackupBench.RunAsync(database),
    "past" => PastBench.RunAsync(database, args.Length > 1 && args[1].Length > 0 ? (int)seconds : 1_000_000),
    _ => ReadBench.RunAsync(database),
});
return 0;
