using EventMail.EventStore;

namespace EventMail.Host.Moving.Export;

/// <summary>A message on its way out.</summary>
/// <param name="Content">Valid until the next one.</param>
/// <param name="HasCrlf">Every line ends in CRLF: in files of Unix programs they end in LF, and come back by an import.</param>
internal sealed record ExportedMessage(uint Uid, DateTimeOffset Date, IReadOnlyList<string> Flags, Content Content, bool HasCrlf)
{
    private const int Piece = 64 * 1024;

    /// <summary>Reads all of it: one that is damaged shows before anything of it is written.</summary>
    public static async ValueTask<bool> HasCrlfAsync(Content content, CancellationToken cancel)
    {
        var (buffer, before, all) = (new byte[Piece], (byte)0, true);
        for (var at = 0L; await content.ReadAtAsync(at, buffer, cancel) is var count and > 0; at += count)
        {
            for (var i = 0; i < count; i++)
            {
                all &= buffer[i] != '\n' || before == '\r';
                before = buffer[i];
            }
        }
        return all;
    }

    public async IAsyncEnumerable<ReadOnlyMemory<byte>> PiecesAsync([System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancel)
    {
        var buffer = new byte[Piece];
        for (var at = 0L; await Content.ReadAtAsync(at, buffer, cancel) is var count and > 0; at += count)
            yield return buffer.AsMemory(0, count);
    }
}

/// <summary>What messages are written to. Mailboxes come one after the other.</summary>
internal interface IExportTarget
{
    /// <summary>What it writes to: takes the place of the target when all is done.</summary>
    string Unfinished { get; }

    /// <summary>Mailboxes so far whose path does not read as their name does.</summary>
    IReadOnlyList<RenamedMailbox> Renamed { get; }

    Task BeginAsync(ExportedMailbox mailbox, CancellationToken cancel);

    Task WriteAsync(ExportedMessage message, CancellationToken cancel);

    /// <summary>Everything is on disk, and read again as it was written.</summary>
    Task EndAsync(CancellationToken cancel);
}

/// <param name="Keywords">Of all its messages.</param>
internal sealed record ExportedMailbox(string Name, uint UidValidity, IReadOnlyList<string> Keywords);

/// <summary>A mailbox whose path does not read as its name does.</summary>
/// <param name="Path">Where its messages are.</param>
internal sealed record RenamedMailbox(string Name, string Path);
