using System.Buffers;
using EventMail.Domain.Messages;
using Microsoft.Win32.SafeHandles;

namespace EventMail.Protocols.Smtp.Data;

/// <summary>
/// Where messages wait that are looked at as a whole before they are stored: memory, within bounds for one message and for all of
/// them, then files. Thread-safe.
/// </summary>
public sealed class SpoolSpace
{
    public const int DefaultPerMessage = 1 << 20;
    public const long DefaultForAll = 64L << 20;

    private readonly string _folder;
    private readonly long _forAll;
    private long _rented;

    /// <param name="folder">Ours alone: what an earlier server left in it is deleted.</param>
    /// <param name="perMessage">Octets of one message in memory; the rest of it goes to a file.</param>
    /// <param name="forAll">Octets of all messages in memory; whoever comes beyond goes to a file at once.</param>
    public SpoolSpace(string folder, int perMessage = DefaultPerMessage, long forAll = DefaultForAll)
    {
        (_folder, PerMessage, _forAll) = (folder, perMessage, forAll);
        MakeFolder(folder);
        // Mail that was never accepted: a server that was killed could not delete it.
        foreach (var leftOver in Directory.EnumerateFiles(folder))
            File.Delete(leftOver);
    }

    /// <summary>Octets of one message that are kept in memory.</summary>
    public int PerMessage { get; }

    /// <summary>Octets of a header, which is kept in memory always. A longer one is refused.</summary>
    public int MaxHeader { get; init; } = MessageLimits.Default.MaxHeaderBytes;

    /// <summary>Octets of memory in use now.</summary>
    public long Rented => Volatile.Read(ref _rented);

    internal MessageSpool Begin() => new(this);

    /// <summary>True while there is memory for so many octets more.</summary>
    internal bool HasRoomFor(int octets) => Rented + octets <= _forAll;

    internal byte[] Rent(int octets)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(octets);
        Interlocked.Add(ref _rented, buffer.Length);
        return buffer;
    }

    internal void Return(byte[] buffer)
    {
        Interlocked.Add(ref _rented, -buffer.Length);
        ArrayPool<byte>.Shared.Return(buffer);
    }

    /// <summary>A file that is gone when it is closed.</summary>
    internal SafeFileHandle CreateFile()
    {
        var file = File.OpenHandle(
            Path.Combine(_folder, Guid.CreateVersion7().ToString("n")), FileMode.CreateNew, FileAccess.ReadWrite, FileShare.Read | FileShare.Delete,
            FileOptions.Asynchronous | FileOptions.DeleteOnClose);
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite); // still empty
        return file;
    }

    private static void MakeFolder(string folder)
    {
        if (OperatingSystem.IsWindows())
            Directory.CreateDirectory(folder);
        else
            Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }
}
