using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using EventMail.Protocols.Dns;
using EventMail.Protocols.MailAuth.Dkim;

namespace EventMail.Bench;

/// <summary>What DKIM costs: bodies of several kinds as canonicalized and hashed, and the signing and verifying of one usual message.</summary>
internal static class DkimBench
{
    private const int BodySize = 1 << 20;
    private const int MessageSize = 20 * 1024;
    private const int WarmUp = 100;
    private const int Piece = 64 * 1024;

    private static readonly byte[] Header = Encoding.ASCII.GetBytes(
        "From: Jane <jane@example.org>\r\nTo: bob@example.net\r\nSubject: a subject of some length\r\nDate: Sat, 21 Nov 2026 10:00:00 +0000\r\n"
        + "Message-ID: <1@example.org>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n");

    public static async Task RunAsync(TimeSpan time)
    {
        Console.WriteLine($"\nbodies of {BodySize >> 20} MiB, relaxed, with SHA-256\n{"",-44} {"MiB/s CPU",9}");
        var keys = new[] { DkimAlgorithm.RsaSha256, DkimAlgorithm.Ed25519Sha256 }.Select(DkimKeyPair.Generate).ToArray();
        foreach (var (name, line) in new[]
        {
            ("text", "The quick brown fox jumps over the lazy dog and goes home.\r\n"),
            ("base64", new string('A', 76) + "\r\n"),
            ("white space in every word", "a  b\tc \t d  e \r\n"),
        })
            await BodyAsync(name, Repeated(line, BodySize), keys[1], time);
        var plain = Repeated("A", BodySize);
        await OfCpuAsync("SHA-256 alone", plain, time, () => new((byte[]?)SHA256.HashData(plain)));

        Measure.Header($"a message of {MessageSize >> 10} KiB, one at a time");
        var body = Repeated("The quick brown fox jumps over the lazy dog and goes home.\r\n", MessageSize);
        foreach (var key in keys)
        {
            var signer = SignerOf(key);
            byte[] signed = [.. (await SignAsync(signer, body))!, .. Header];
            var (verifier, dns) = (new DkimVerifier(), new OneKey(key));
            await Measure.RunAsync($"sign by {key.Algorithm.Name()}", 1, time, null, async _ => await SignAsync(signer, body));
            await Measure.RunAsync($"verify {key.Algorithm.Name()}", 1, time, null, async _ =>
            {
                var results = await verifier.VerifyAsync(signed, Pieces(body), dns, DateTimeOffset.UtcNow, default);
                if (results is not [{ Verdict: DkimVerdict.Pass }])
                    throw new InvalidOperationException(results[0].Reason);
            });
        }
    }

    private static async Task BodyAsync(string name, byte[] body, DkimKeyPair key, TimeSpan time)
    {
        var signer = SignerOf(key);
        await OfCpuAsync(name, body, time, () => SignAsync(signer, body));
    }

    // By the processor's time, which other work on the machine does not change.
    private static async Task OfCpuAsync(string name, byte[] body, TimeSpan time, Func<ValueTask<byte[]?>> run)
    {
        // Until what runs is compiled for good.
        for (var i = 0; i < WarmUp; i++)
            await run();
        using var process = Process.GetCurrentProcess();
        var (clock, before, count) = (Stopwatch.StartNew(), process.TotalProcessorTime, 0);
        for (; clock.Elapsed < time; count++)
            await run();
        process.Refresh();
        var seconds = (process.TotalProcessorTime - before).TotalSeconds;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name,-44} {(double)count * body.Length / (1 << 20) / seconds,9:n0}"));
    }

    private static DkimSigner SignerOf(DkimKeyPair key)
    {
        DkimSigningKey[] keys = [new("example.org", "s", key.Algorithm, key.PrivateKey)];
        return new((_, _) => new(keys));
    }

    private static ValueTask<byte[]?> SignAsync(DkimSigner signer, byte[] body) =>
        signer.SignAsync("example.org", Header, Pieces(body), DateTimeOffset.UtcNow, default);

    private static async IAsyncEnumerable<ReadOnlyMemory<byte>> Pieces(byte[] body)
    {
        await Task.CompletedTask;
        for (var at = 0; at < body.Length; at += Piece)
            yield return body.AsMemory(at, Math.Min(Piece, body.Length - at));
    }

    private static byte[] Repeated(string line, int size) => Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat(line, size / line.Length)));

    private sealed class OneKey(DkimKeyPair key) : IDnsSource
    {
        private readonly DnsRecord[] _record =
            [new TxtRecord(Encoding.ASCII.GetBytes($"v=DKIM1; k={key.Algorithm.KeyType()}; p={Convert.ToBase64String(key.PublicKey)}"))];

        public ValueTask<DnsAnswer> QueryAsync(string name, DnsType type, CancellationToken cancel) => new(new DnsAnswer(DnsStatus.Found, name, _record, false, null));
    }
}
