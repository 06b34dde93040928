using System.Security.Cryptography;
using EventMail.EventStore;
using EventMail.Projections.Mailboxes;

namespace EventMail.Host.Moving.Import;

/// <summary>How a source ends its lines.</summary>
internal enum LineEnds
{
    /// <summary>As it has them: the octets are the message.</summary>
    AsTheyAre,

    /// <summary>Files of Unix programs: a message whose first line ends in LF alone gets CRLF everywhere.</summary>
    Files,
}

/// <summary>
/// A message on its way from a source: its octets go to the content store, or, where nothing is to be stored, only past the hash. One that may not
/// be is read to its end all the same.
/// </summary>
/// <param name="contents">Null to store nothing.</param>
internal sealed class MessageIntake(ContentStore? contents, LineEnds lines, long maxSize) : IAsyncDisposable
{
    private const int Piece = 64 * 1024;

    private readonly IncomingMessage? _message = contents is null ? null : IncomingMessage.Begin(contents);
    private readonly IncrementalHash? _hash = contents is null ? IncrementalHash.CreateHash(HashAlgorithmName.SHA256) : null;
    private byte[]? _converted;
    private bool? _convert = lines == LineEnds.AsTheyAre ? false : null;
    private bool _afterCr;

    /// <summary>Octets, as they are stored.</summary>
    public long Size { get; private set; }

    /// <summary>Why it cannot be stored; null while it can.</summary>
    public string? Problem { get; private set; }

    public async ValueTask WriteAsync(ReadOnlyMemory<byte> octets, CancellationToken cancel)
    {
        if (_convert is null && octets.Span.IndexOf((byte)'\n') is >= 0 and var end)
            _convert = end == 0 ? !_afterCr : octets.Span[end - 1] != '\r';
        if (octets.Length > 0 && _convert is not true)
            _afterCr = octets.Span[^1] == '\r';
        if (_convert is not true)
        {
            await StoreAsync(octets, cancel);
            return;
        }
        _converted ??= new byte[2 * Piece];
        while (!octets.IsEmpty)
        {
            var piece = octets[..Math.Min(octets.Length, Piece)];
            octets = octets[piece.Length..];
            await StoreAsync(_converted.AsMemory(0, Convert(piece.Span)), cancel);
        }
    }

    private int Convert(ReadOnlySpan<byte> piece)
    {
        var to = 0;
        foreach (var octet in piece)
        {
            if (octet == '\n' && !_afterCr)
                _converted![to++] = (byte)'\r';
            _converted![to++] = octet;
            _afterCr = octet == '\r';
        }
        return to;
    }

    private async ValueTask StoreAsync(ReadOnlyMemory<byte> octets, CancellationToken cancel)
    {
        Size += octets.Length;
        if (Problem is null && Size > maxSize)
            Problem = $"larger than {Cli.ListOutput.Size(maxSize)} (Imap:MaxMessageSize)";
        // RFC 9051 §4.3: a literal has no NUL, so no client could be sent it.
        else if (Problem is null && octets.Span.Contains((byte)0))
            Problem = "has NUL octets";
        if (Problem is not null)
            return;
        _hash?.AppendData(octets.Span);
        if (_message is not null)
            await _message.WriteAsync(octets, cancel);
    }

    /// <summary>The content, staged; null where nothing is stored.</summary>
    public async ValueTask<StagedContent?> CompleteAsync(CancellationToken cancel) =>
        _message is null ? null : await _message.CompleteAsync(mayExist: true, cancel);

    /// <summary>SHA-256 of what came, where nothing is stored.</summary>
    public byte[] Digest() => _hash!.GetHashAndReset();

    public async ValueTask DisposeAsync()
    {
        _hash?.Dispose();
        if (_message is not null)
            await _message.DisposeAsync();
    }
}
