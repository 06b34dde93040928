using System.Buffers;
using System.Globalization;
using System.Text.Json;

namespace EventMail.Host.Moving.Export;

/// <summary>A folder for each mailbox with a file for each message, octet for octet, and a line for each in index.jsonl: what a file does not say.</summary>
internal sealed class EmlTarget(string unfinished) : IExportTarget, IAsyncDisposable
{
    private const string IndexFile = "index.jsonl";
    private const string Extension = ".eml";

    private readonly FilePaths _paths = new(unfinished, IsOwn);
    private string _folder = "";
    private VerifiedFile? _index;

    public string Unfinished => unfinished;

    public IReadOnlyList<RenamedMailbox> Renamed => _paths.Renamed;

    /// <summary>A name that a file of ours has in a mailbox's folder: "Work/index.jsonl" may be a mailbox.</summary>
    public static bool IsOwn(string name) => name.Equals(IndexFile, StringComparison.OrdinalIgnoreCase) || name.EndsWith(Extension, StringComparison.OrdinalIgnoreCase);

    public async Task BeginAsync(ExportedMailbox mailbox, CancellationToken cancel)
    {
        await EndAsync(cancel);
        _folder = _paths.FolderOf(mailbox.Name);
        _index = VerifiedFile.Create(Path.Combine(_folder, IndexFile));
        _index.Output.Write(JsonSerializer.SerializeToUtf8Bytes(new { mailbox = mailbox.Name, uidvalidity = mailbox.UidValidity }));
        _index.Output.Write("\n"u8);
    }

    public async Task WriteAsync(ExportedMessage message, CancellationToken cancel)
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"{message.Uid:d10}{Extension}");
        await using var file = VerifiedFile.Create(Path.Combine(_folder, name));
        await foreach (var piece in message.PiecesAsync(cancel))
        {
            file.Output.Write(piece.Span);
            await file.FlushAsync(cancel);
        }
        var sha256 = await file.FinishAsync(cancel);
        File.SetLastWriteTimeUtc(file.Path, message.Date.UtcDateTime);
        _index!.Output.Write(JsonSerializer.SerializeToUtf8Bytes(new
        {
            uid = message.Uid,
            file = name,
            date = message.Date,
            flags = message.Flags,
            size = message.Content.Size,
            sha256,
        }));
        _index.Output.Write("\n"u8);
        await _index.FlushAsync(cancel);
    }

    public async Task EndAsync(CancellationToken cancel)
    {
        if (_index is not null)
            await _index.FinishAsync(cancel);
        _index = null;
    }

    public async ValueTask DisposeAsync()
    {
        if (_index is not null)
            await _index.DisposeAsync();
    }
}
