using EventMail.Host.Cli;

namespace EventMail.Host.Moving.Import;

/// <summary>What an import has come to.</summary>
internal sealed class ImportReport
{
    /// <summary>Skipped messages that are named one by one.</summary>
    public const int MaxNamed = 20;

    private readonly List<FolderCount> _folders = [];
    private readonly List<SkippedMessage> _named = [];

    public long Imported { get; private set; }

    public long Skipped { get; private set; }

    public long Known { get; private set; }

    public FolderCount Begin(string mailbox)
    {
        var count = new FolderCount(this, mailbox);
        _folders.Add(count);
        return count;
    }

    public void Skip(SkippedMessage skipped)
    {
        Skipped++;
        if (_named.Count < MaxNamed)
            _named.Add(skipped);
    }

    public async Task WriteAsync(bool dryRun, bool interrupted)
    {
        var verb = dryRun ? "to import" : "imported";
        foreach (var folder in _folders)
            await Console.Out.WriteLineAsync($"{folder.Mailbox}: {folder.Imported} {verb} ({ListOutput.Size(folder.Octets)}), {folder.Known} there already{(folder.WithoutKeywords > 0 ? $", {folder.WithoutKeywords} without their keywords (the mailbox has no room for more)" : "")}");
        await Console.Out.WriteLineAsync($"{Imported} {verb}, {Known} there already, {Skipped} skipped{(interrupted ? "; stopped before the end" : "")}.");
        foreach (var skipped in _named)
            await Console.Error.WriteLineAsync(Logs.PlainLines.OnOneLine($"skipped: {skipped.Where.Replace("import ", "", StringComparison.Ordinal)}: {skipped.Why}"));
        if (Skipped > _named.Count)
            await Console.Error.WriteLineAsync($"… and {Skipped - _named.Count} more");
    }

    internal sealed class FolderCount(ImportReport report, string mailbox)
    {
        public string Mailbox => mailbox;

        public long Imported { get; private set; }

        public long Octets { get; private set; }

        public long Known { get; private set; }

        public long WithoutKeywords { get; set; }

        public void CountImported(long octets)
        {
            Imported++;
            Octets += octets;
            report.Imported++;
        }

        public void CountKnown()
        {
            Known++;
            report.Known++;
        }
    }
}
