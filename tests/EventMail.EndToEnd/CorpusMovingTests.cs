using System.Security.Cryptography;
using System.Text;

namespace EventMail.EndToEnd;

/// <summary>Every real message through import and export in each format.</summary>
public sealed class CorpusMovingTests(MailServer server) : IClassFixture<MailServer>
{
    [NeedsCorpusFact]
    public async Task What_is_imported_is_exported_octet_for_octet_in_each_format()
    {
        using var folder = new TempFolder();
        Directory.CreateDirectory(folder["in/cur"]);
        var number = 0;
        var wanted = new List<string>();
        foreach (var message in Corpus.Messages.Values)
        {
            if (message.Length == 0 || message.Contains((byte)0))
                continue; // no messages here (docs/moving.md)
            number++;
            await File.WriteAllBytesAsync(folder[$"in/cur/{1735689600 + number}.M{number}P1.host:2,S"], message);
            wanted.Add(DigestOf(OnTheWire(message)));
        }
        wanted.Count.ShouldBeGreaterThan(60);
        wanted.Sort(StringComparer.Ordinal);

        var first = await server.NewAccountAsync();
        (await DoAsync("import", "maildir", folder["in"], first)).ShouldContain($"{wanted.Count} imported, 0 there already, 0 skipped");
        (await ExportedAsync(first, folder["eml"])).ShouldBe(wanted);

        await DoAsync("export", "maildir", first, folder["maildir"]);
        (await AgainAsync("maildir", folder["maildir"], folder["maildir-eml"])).ShouldBe(wanted);

        // An mbox gives a last line without an end one, and Status and its kin were the file's (docs/moving.md).
        await DoAsync("export", "mbox", first, "INBOX", folder["all.mbox"]);
        var again = await AgainAsync("mbox", folder["all.mbox"], folder["mbox-eml"]);
        again.Count.ShouldBe(wanted.Count);
        var changed = Corpus.Messages.Values.Where(message => message.Length > 0 && !message.Contains((byte)0))
            .Select(OnTheWire).Where(message => !message.AsSpan().EndsWith("\r\n"u8) || HasFieldOfTheFile(message)).Select(DigestOf).ToHashSet();
        wanted.Where(digest => !changed.Contains(digest)).Except(again).ShouldBeEmpty();
        (wanted.Count - changed.Count).ShouldBeGreaterThan(25);
    }

    private async Task<List<string>> AgainAsync(string format, string from, string to)
    {
        var account = await server.NewAccountAsync();
        await DoAsync("import", format, from, account);
        return await ExportedAsync(account, to);
    }

    // Read from the files, not from what the index says of them.
    private async Task<List<string>> ExportedAsync(string account, string to)
    {
        await DoAsync("export", "eml", account, to);
        var digests = new List<string>();
        foreach (var file in Directory.EnumerateFiles(Path.Combine(to, "INBOX"), "*.eml"))
            digests.Add(DigestOf(await File.ReadAllBytesAsync(file)));
        digests.Sort(StringComparer.Ordinal);
        return digests;
    }

    private async Task<string> DoAsync(params string[] arguments)
    {
        var result = await server.Server.RunAsync(arguments);
        result.ExitCode.ShouldBe(0, result.Output + result.Error);
        return result.Output;
    }

    // As an import takes it: CRLF everywhere where the first line ends in LF alone.
    private static byte[] OnTheWire(byte[] message)
    {
        var end = message.AsSpan().IndexOf((byte)'\n');
        if (end > 0 && message[end - 1] == '\r')
            return message;
        var text = Encoding.Latin1.GetString(message).Replace("\r\n", "\n", StringComparison.Ordinal).Replace("\n", "\r\n", StringComparison.Ordinal);
        return Encoding.Latin1.GetBytes(text);
    }

    private static bool HasFieldOfTheFile(byte[] message)
    {
        var text = Encoding.Latin1.GetString(message);
        var header = text.Split("\r\n\r\n")[0];
        return ((string[])["Status", "X-Status", "X-Keywords", "X-UID", "X-IMAP", "X-IMAPbase", "X-Mozilla-Status", "X-Mozilla-Keys", "Content-Length"])
            .Any(name => $"\r\n{header}".Contains($"\r\n{name}:", StringComparison.OrdinalIgnoreCase));
    }

    private static string DigestOf(byte[] message) => Convert.ToHexStringLower(SHA256.HashData(message));
}
