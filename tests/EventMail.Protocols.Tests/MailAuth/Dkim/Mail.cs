using System.Text;
using EventMail.Protocols.MailAuth.Dkim;

namespace EventMail.Protocols.Tests.MailAuth.Dkim;

/// <summary>A message with CRLF, as header and body.</summary>
internal sealed record Mail(byte[] Header, byte[] Body)
{
    public static readonly DateTimeOffset Now = DateTimeOffset.FromUnixTimeSeconds(1_780_000_000);

    /// <param name="text">Latin-1; line ends LF or CRLF.</param>
    public static Mail Of(string text) => Of(Encoding.Latin1.GetBytes(text.ReplaceLineEndings("\r\n")));

    public static Mail Of(byte[] octets)
    {
        var end = octets.AsSpan().IndexOf("\r\n\r\n"u8);
        return end < 0 ? new(octets, []) : new(octets[..(end + 4)], octets[(end + 4)..]);
    }

    public static Mail Vector(string name) =>
        Of(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "MailAuth", "Dkim", "Vectors", name), Encoding.Latin1));

    public string Text => Encoding.Latin1.GetString([.. Header, .. Body]);

    public Mail Replace(string what, string by) => Of(Encoding.Latin1.GetBytes(Text.Replace(what, by, StringComparison.Ordinal)));

    /// <param name="piece">Octets of the body that come at once.</param>
    public async IAsyncEnumerable<ReadOnlyMemory<byte>> InPieces(int piece = 4096)
    {
        for (var at = 0; at < Body.Length; at += piece)
        {
            await Task.Yield();
            yield return Body.AsMemory(at, Math.Min(piece, Body.Length - at));
        }
    }

    public async Task<IReadOnlyList<DkimResult>> VerifyAsync(DnsTable dns, DkimLimits? limits = null, DateTimeOffset? now = null) =>
        await new DkimVerifier(limits ?? DkimLimits.Default).VerifyAsync(Header, InPieces(), dns, now ?? Now, default);
}
