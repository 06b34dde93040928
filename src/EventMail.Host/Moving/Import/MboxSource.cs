using System.Runtime.CompilerServices;
using EventMail.Domain.Mailstores;
using EventMail.Host.Cli;
using Microsoft.Win32.SafeHandles;

namespace EventMail.Host.Moving.Import;

/// <summary>One mbox file (RFC 4155 and its relatives): all of it is one folder.</summary>
internal sealed class MboxSource(string path, string mailbox, MboxFormat format) : IImportSource
{
    private readonly SafeFileHandle _file = File.OpenHandle(path, options: FileOptions.SequentialScan);

    public long? Total => RandomAccess.GetLength(_file);

    public string Show(long done) => ListOutput.Size(done);

    public async IAsyncEnumerable<SourceFolder> FoldersAsync([EnumeratorCancellation] CancellationToken cancel)
    {
        await Task.CompletedTask;
        yield return new Folder(mailbox, Path.GetFileName(path), new(_file), format);
    }

    public ValueTask DisposeAsync()
    {
        _file.Dispose();
        return default;
    }

    private sealed class Folder(string mailbox, string file, OctetLines lines, MboxFormat format) : SourceFolder(mailbox, null)
    {
        public override async IAsyncEnumerable<SourceMessage> MessagesAsync([EnumeratorCancellation] CancellationToken cancel)
        {
            await Task.CompletedTask;
            var from = MboxMessage.FindFirst(lines, out var skipped);
            if (skipped > 0)
                Damaged.Add(new($"mbox {file}", $"{ListOutput.Size(skipped)} at its beginning belong to no message: no line \"From …\" stands before them"));
            while (from is not null)
            {
                cancel.ThrowIfCancellationRequested();
                var message = new MboxMessage(lines, from.Value, file, format);
                yield return message;
                from = message.Next;
            }
        }
    }
}
