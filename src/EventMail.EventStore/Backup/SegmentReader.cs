using System.Globalization;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace EventMail.EventStore.Backup;

/// <summary>Reads one segment.</summary>
internal sealed class SegmentReader : IDisposable
{
    private const int MaxLine = 64 * 1024;

    private readonly FileStream _file;
    private readonly Stream _input;

    private SegmentReader(FileStream file, Stream input, SegmentHeader header) => (_file, _input, Header) = (file, input, header);

    public SegmentHeader Header { get; }

    /// <summary>For a segment of rows.</summary>
    public CopyReader Rows() => new(_input);

    /// <exception cref="InvalidDataException">It does not begin as such a segment.</exception>
    public static SegmentReader Open(string path, string kind)
    {
        var file = File.OpenRead(path);
        try
        {
            var input = new BufferedStream(path.EndsWith(".gz", StringComparison.Ordinal) ? new GZipStream(file, CompressionMode.Decompress) : file, 256 * 1024);
            var header = JsonSerializer.Deserialize(Line(input) ?? "", SegmentJson.Default.SegmentHeader);
            return header?.Segment == SegmentHeader.Mark + kind && header.Format == SegmentHeader.CurrentFormat
                ? new(file, input, header)
                : throw new InvalidDataException("does not begin as it should");
        }
        catch (JsonException)
        {
            file.Dispose();
            throw new InvalidDataException("does not begin as it should");
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>The next file's name and length; null behind the last. Its octets are to be read with <see cref="CopyFile"/>.</summary>
    public (string Name, long Length)? NextFile()
    {
        if (Line(_input) is not { } line)
            return null;
        var words = line.Split(' ');
        return words.Length == 2 && ContentFileNames.IsName(words[0]) && long.TryParse(words[1], NumberStyles.None, CultureInfo.InvariantCulture, out var length)
            ? (words[0], length)
            : throw new InvalidDataException("has a line that names no file");
    }

    /// <param name="output">Null to pass over them.</param>
    /// <returns>Their SHA-256.</returns>
    public async Task<byte[]> CopyFile(long length, Stream? output, byte[] buffer, CancellationToken cancel)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        while (length > 0)
        {
            var count = await _input.ReadAsync(buffer.AsMemory(0, (int)Math.Min(length, buffer.Length)), cancel);
            if (count == 0)
                throw new InvalidDataException("was cut off");
            hash.AppendData(buffer, 0, count);
            if (output is not null)
                await output.WriteAsync(buffer.AsMemory(0, count), cancel);
            length -= count;
        }
        return hash.GetHashAndReset();
    }

    private static string? Line(Stream input)
    {
        var line = new List<byte>();
        while (input.ReadByte() is var octet && octet != '\n')
        {
            if (octet < 0)
                return line.Count == 0 ? null : throw new InvalidDataException("was cut off");
            if (line.Count == MaxLine)
                throw new InvalidDataException("has a line without an end");
            line.Add((byte)octet);
        }
        return Encoding.UTF8.GetString([.. line]);
    }

    public void Dispose()
    {
        _input.Dispose();
        _file.Dispose();
    }
}
