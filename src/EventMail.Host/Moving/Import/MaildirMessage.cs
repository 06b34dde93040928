using System.Buffers.Binary;
using System.IO.Compression;
using EventMail.Domain.Mailstores;

namespace EventMail.Host.Moving.Import;

internal sealed class MaildirMessage(string path, MaildirName name, long done) : SourceMessage($"import maildir {name.Unique}")
{
    private const int Buffer = 64 * 1024;

    // Whoever copies a Maildir without its times gives all messages the time of the copy.
    private static readonly TimeSpan Copied = TimeSpan.FromDays(1);

    public override bool IsNamed => true;

    public override long Done => done;

    public override async Task<SourceFacts> ReadAsync(MessageIntake intake, CancellationToken cancel)
    {
        // Whose Maildir it is chose where it leads: to what only the importer may read.
        if (MaildirSource.IsLink(path))
            return new(name.Flags, null, "is a link, which is not followed");
        FileStream file;
        try
        {
            file = File.OpenRead(path);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return MaildirSource.IsUndecodable(path)
                ? new(name.Flags, null, "has a name that is no UTF-8; rename it")
                : new(name.Flags, null, "is not there any more: another program has moved or renamed it; import once more");
        }
        catch (UnauthorizedAccessException)
        {
            return new(name.Flags, null, "may not be read by this user");
        }
        await using (file)
        {
            var buffer = new byte[Buffer];
            // Dovecot's mail_compress: no message begins so.
            var magic = new byte[2];
            await using Stream? unpacked = await file.ReadAtLeastAsync(magic, 2, false, cancel) == 2 && magic is [0x1F, 0x8B] ? new GZipStream(Again(file), CompressionMode.Decompress) : null;
            var stream = unpacked ?? Again(file);
            try
            {
                var octets = 0L;
                for (; await stream.ReadAsync(buffer, cancel) is var count and > 0; octets += count)
                    await intake.WriteAsync(buffer.AsMemory(0, count), cancel);
                if (unpacked is not null && !EndsWithSize(file, octets))
                    return new(name.Flags, null, "is compressed, and cut off");
            }
            catch (InvalidDataException)
            {
                return new(name.Flags, null, "is compressed, and damaged");
            }
            // Of the file that was read: one that has another name by now has no time under this one.
            var written = new DateTimeOffset(File.GetLastWriteTimeUtc(file.SafeFileHandle));
            var date = name.Time is { } named && written - named > Copied ? named : written;
            return new(name.Flags, date, intake.Size == 0 ? "empty" : null);
        }
    }

    // RFC 1952 §2.3.1: ISIZE, at the end. GZipStream takes the end of the file for that of the message.
    private static bool EndsWithSize(FileStream file, long octets)
    {
        Span<byte> size = stackalloc byte[sizeof(uint)];
        return RandomAccess.Read(file.SafeFileHandle, size, Math.Max(0, file.Length - size.Length)) == size.Length
            && BinaryPrimitives.ReadUInt32LittleEndian(size) == (uint)octets;
    }

    private static FileStream Again(FileStream file)
    {
        file.Position = 0;
        return file;
    }
}
