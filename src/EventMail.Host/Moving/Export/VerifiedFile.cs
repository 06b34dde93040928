using System.Buffers;
using System.Security.Cryptography;

namespace EventMail.Host.Moving.Export;

/// <summary>A new file for its owner alone, hashed on its way and read again at its end.</summary>
internal sealed class VerifiedFile : IAsyncDisposable
{
    private readonly FileStream _file;
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly ArrayBufferWriter<byte> _buffer = new(64 * 1024);

    private VerifiedFile(FileStream file) => _file = file;

    public string Path => _file.Name;

    public long Octets { get; private set; }

    /// <summary>Written by the next <see cref="FlushAsync"/>.</summary>
    public IBufferWriter<byte> Output => _buffer;

    /// <exception cref="IOException">It is there already.</exception>
    public static VerifiedFile Create(string path)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, Options = FileOptions.Asynchronous };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        return new(new(path, options));
    }

    /// <summary>A whole one.</summary>
    public static async Task WriteAsync(string path, string text, CancellationToken cancel)
    {
        await using var file = Create(path);
        file.Output.Write(System.Text.Encoding.UTF8.GetBytes(text));
        await file.FinishAsync(cancel);
    }

    public async ValueTask FlushAsync(CancellationToken cancel)
    {
        _hash.AppendData(_buffer.WrittenSpan);
        Octets += _buffer.WrittenCount;
        await _file.WriteAsync(_buffer.WrittenMemory, cancel);
        _buffer.ResetWrittenCount();
    }

    /// <returns>The SHA-256 of the file.</returns>
    /// <exception cref="IOException">What is read is not what was written.</exception>
    public async Task<string> FinishAsync(CancellationToken cancel)
    {
        await FlushAsync(cancel);
        _file.Flush(flushToDisk: true);
        await _file.DisposeAsync();
        var written = _hash.GetHashAndReset();
        await using var again = File.OpenRead(Path);
        return (await SHA256.HashDataAsync(again, cancel)).AsSpan().SequenceEqual(written)
            ? Convert.ToHexStringLower(written)
            : throw new IOException($"{Path} does not read as it was written: the disk is not to be trusted.");
    }

    public async ValueTask DisposeAsync()
    {
        await _file.DisposeAsync();
        _hash.Dispose();
    }
}
