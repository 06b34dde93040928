using System.Buffers;
using EventMail.Domain.Mailstores;

namespace EventMail.Host.Moving.Export;

/// <summary>A file in mboxrd for one mailbox, or a folder with a file for each.</summary>
internal sealed class MboxTarget(string unfinished, bool single) : IExportTarget, IAsyncDisposable
{
    private readonly FilePaths _paths = new(unfinished);
    private VerifiedFile? _file;

    public string Unfinished => unfinished;

    public IReadOnlyList<RenamedMailbox> Renamed => _paths.Renamed;

    public async Task BeginAsync(ExportedMailbox mailbox, CancellationToken cancel)
    {
        await EndAsync(cancel);
        _file = VerifiedFile.Create(single ? unfinished : _paths.FileOf(mailbox.Name, ".mbox"));
    }

    public async Task WriteAsync(ExportedMessage message, CancellationToken cancel)
    {
        var output = _file!.Output;
        output.Write(FromLine.Write(null, message.Date));
        output.Write(MboxStatus.Write(message.Flags));
        var quoter = new MboxQuoter(toLf: message.HasCrlf);
        await foreach (var piece in message.PiecesAsync(cancel))
        {
            quoter.Write(piece.Span, output);
            await _file.FlushAsync(cancel);
        }
        quoter.Finish(output);
        output.Write("\n"u8);
        await _file.FlushAsync(cancel);
    }

    public async Task EndAsync(CancellationToken cancel)
    {
        if (_file is not null)
            await _file.FinishAsync(cancel);
        _file = null;
    }

    public async ValueTask DisposeAsync()
    {
        if (_file is not null)
            await _file.DisposeAsync();
    }
}
