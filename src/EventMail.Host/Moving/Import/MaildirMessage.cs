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
        FileStream file;
        try
        {
            file = File.OpenRead(path);
        }
        catch (FileNotFoundException)
        {
            return new(name.Flags, null, "is not there any more: another program has moved or renamed it; import once more");
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
                while (await stream.ReadAsync(buffer, cancel) is var count and > 0)
                    await intake.WriteAsync(buffer.AsMemory(0, count), cancel);
            }
            catch (InvalidDataException)
            {
                return new(name.Flags, null, "is compressed, and damaged");
            }
            var written = new DateTimeOffset(File.GetLastWriteTimeUtc(path));
            var date = name.Time is { } named && written - named > Copied ? named : written;
            return new(name.Flags, date, intake.Size == 0 ? "empty" : null);
        }
    }

    private static FileStream Again(FileStream file)
    {
        file.Position = 0;
        return file;
    }
}
