using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace EventMail.EventStore;

/// <summary>
/// Wrapping keys as files: keys/[number in hexadecimal].key holds the key and a check sum over number and key. A file is durable, and
/// so is its name, before anything is wrapped; it never changes. Numbers grow with the time, so that rows which name them lie together.
/// </summary>
internal sealed class WrappingKeyFiles(string folder, bool isOurs, TimeProvider clock, ILogger log)
{
    public const string Extension = ".key";

    private const int CheckBytes = 16;
    private const int FileBytes = KeyRing.KeyBytes + CheckBytes;
    private const int RandomBits = 15;

    // A file is not there at all, or it is whole.
    private const string UnfinishedPrefix = "unfinished-";

    public string Folder { get; } = Path.GetFullPath(folder);

    public static string NameOf(long number) => number.ToString("x16", CultureInfo.InvariantCulture) + Extension;

    public string PathOf(long number) => Path.Combine(Folder, NameOf(number));

    public static DateTimeOffset MadeAt(long number) => DateTimeOffset.FromUnixTimeMilliseconds(number >> RandomBits);

    /// <summary>Makes a key. Blocks for the disk.</summary>
    public WrappingKey Make()
    {
        MakeFolder();
        Span<byte> content = stackalloc byte[FileBytes];
        var unfinished = Path.Combine(Folder, UnfinishedPrefix + Guid.NewGuid().ToString("n"));
        try
        {
            while (true)
            {
                var number = (clock.GetUtcNow().ToUnixTimeMilliseconds() << RandomBits) | (uint)RandomNumberGenerator.GetInt32(1 << RandomBits);
                RandomNumberGenerator.Fill(content[..KeyRing.KeyBytes]);
                CheckSum(number, content[..KeyRing.KeyBytes], content[KeyRing.KeyBytes..]);
                Write(unfinished, content);
                try
                {
                    File.Move(unfinished, PathOf(number), overwrite: false);
                }
                catch (IOException) when (File.Exists(PathOf(number)))
                {
                    continue; // another process drew the same number
                }
                OwnFolders.Sync(Folder);
                return new(number, content[..KeyRing.KeyBytes]);
            }
        }
        finally
        {
            CryptographicOperations.ZeroMemory(content);
            File.Delete(unfinished);
        }
    }

    /// <exception cref="WrappingKeyMissingException">There is no such file, or it is damaged.</exception>
    public WrappingKey Read(long number)
    {
        var path = PathOf(number);
        Span<byte> content = stackalloc byte[FileBytes];
        Span<byte> check = stackalloc byte[CheckBytes];
        try
        {
            using var file = File.OpenHandle(path);
            if (RandomAccess.GetLength(file) != FileBytes || RandomAccess.Read(file, content, 0) != FileBytes)
                throw new WrappingKeyMissingException(number, path, $"is damaged: it is not {FileBytes} octets long");
            CheckSum(number, content[..KeyRing.KeyBytes], check);
            if (!check.SequenceEqual(content[KeyRing.KeyBytes..]))
                throw new WrappingKeyMissingException(number, path, "is damaged: its check sum is wrong");
            return new(number, content[..KeyRing.KeyBytes]);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new WrappingKeyMissingException(number, path, "is missing");
        }
        catch (UnauthorizedAccessException)
        {
            throw new WrappingKeyMissingException(number, path, "may not be read by this user");
        }
        finally
        {
            CryptographicOperations.ZeroMemory(content);
        }
    }

    /// <summary>The file is there, and holds the key that its name says.</summary>
    public static bool IsWhole(string path)
    {
        try
        {
            var files = new WrappingKeyFiles(Path.GetDirectoryName(path)!, isOurs: false, TimeProvider.System, NullLogger.Instance);
            files.Read(long.Parse(Path.GetFileNameWithoutExtension(path), NumberStyles.HexNumber, CultureInfo.InvariantCulture));
            return true;
        }
        catch (Exception e) when (e is WrappingKeyMissingException or FormatException or OverflowException)
        {
            return false;
        }
    }

    /// <summary>Overwrites the file and deletes it, for good. Nothing where it is gone already. Blocks for the disk.</summary>
    public void Destroy(long number)
    {
        var path = PathOf(number);
        if (!File.Exists(path))
            return;
        using (var file = new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.None, bufferSize: 0))
        {
            file.Write(RandomNumberGenerator.GetBytes(FileBytes));
            file.Flush(flushToDisk: true);
        }
        File.Delete(path);
        OwnFolders.Sync(Folder);
    }

    /// <summary>The numbers of the files that are there.</summary>
    public IReadOnlyList<long> Numbers()
    {
        var numbers = new List<long>();
        if (Directory.Exists(Folder))
            foreach (var path in Directory.EnumerateFiles(Folder, "*" + Extension))
                if (long.TryParse(Path.GetFileNameWithoutExtension(path), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var number))
                    numbers.Add(number);
        numbers.Sort();
        return numbers;
    }

    private void MakeFolder()
    {
        if (Directory.Exists(Folder))
        {
            if (isOurs)
                OwnFolders.Close(Folder);
            return;
        }
        OwnFolders.Make(Folder);
        OwnFolders.Sync(Path.GetDirectoryName(Folder)!);
        log.KeysMade(Folder);
    }

    private static void Write(string path, ReadOnlySpan<byte> content)
    {
        using var file = new FileStream(path, new FileStreamOptions
        {
            Mode = FileMode.Create,
            Access = FileAccess.Write,
            UnixCreateMode = OwnFolders.FileMode,
            BufferSize = 0,
        });
        file.Write(content);
        file.Flush(flushToDisk: true);
    }

    private static void CheckSum(long number, ReadOnlySpan<byte> key, Span<byte> check)
    {
        Span<byte> input = stackalloc byte[sizeof(long) + KeyRing.KeyBytes];
        BinaryPrimitives.WriteInt64BigEndian(input, number);
        key.CopyTo(input[sizeof(long)..]);
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(input, digest);
        digest[..CheckBytes].CopyTo(check);
        CryptographicOperations.ZeroMemory(input);
    }
}
