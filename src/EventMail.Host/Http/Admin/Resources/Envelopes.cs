using EventMail.Domain.Messages;
using EventMail.EventStore;
using EventMail.Host.Http.Capture;
using EventMail.Projections.Mailboxes;

namespace EventMail.Host.Http.Admin.Resources;

/// <summary>What a list of messages shows of each. Thread-safe.</summary>
internal sealed class Envelopes(MessageSummaries summaries, ContentStore contents)
{
    private const int Fields = 6;

    public Task PrefetchAsync(long[] numbers, CancellationToken cancel) => summaries.PrefetchAsync(numbers, cancel);

    /// <summary>Null where the text is not kept any more.</summary>
    public async Task<EnvelopeDocument?> OfAsync(long number, CancellationToken cancel)
    {
        try
        {
            return (await summaries.GetAsync(number, cancel)).HeaderLines is { } header ? Of(header.Span) : await ReadAsync(number, cancel);
        }
        catch (ContentMissingException)
        {
            return null;
        }
    }

    private async Task<EnvelopeDocument> ReadAsync(long number, CancellationToken cancel)
    {
        await using var content = await contents.ReadAsync(number, cancel);
        return Of((await MessageDocuments.ReadAsync(content, cancel)).Root.HeaderBytes);
    }

    private static EnvelopeDocument Of(ReadOnlySpan<byte> header)
    {
        var values = new string?[Fields];
        var at = 0;
        while (HeaderFields.TryNext(header, ref at, out var field))
        {
            var colon = field.IndexOf((byte)':');
            var name = colon > 0 ? IndexOf(field[..colon].TrimEnd(" \t"u8)) : -1;
            if (name >= 0)
                values[name] ??= EncodedWords.Decode(field[(colon + 1)..].Trim(" \t\r\n"u8)).Trim();
        }
        return new(values[0], values[1], values[2], values[3], values[4], values[5]);
    }

    private static int IndexOf(ReadOnlySpan<byte> name) => name.Length switch
    {
        4 when Is(name, "Date"u8) => 0,
        4 when Is(name, "From"u8) => 1,
        2 when Is(name, "To"u8) => 2,
        2 when Is(name, "Cc"u8) => 3,
        7 when Is(name, "Subject"u8) => 4,
        10 when Is(name, "Message-ID"u8) => 5,
        _ => -1,
    };

    private static bool Is(ReadOnlySpan<byte> name, ReadOnlySpan<byte> wanted) => System.Text.Ascii.EqualsIgnoreCase(name, wanted);
}
