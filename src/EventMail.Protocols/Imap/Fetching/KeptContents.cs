using System.Runtime.CompilerServices;
using EventMail.EventStore;

namespace EventMail.Protocols.Imap.Fetching;

/// <summary>Contents of messages some of which may have been given up since: retention releases what was expunged.</summary>
internal static class KeptContents
{
    /// <summary>As <see cref="ContentStore.ReadManyAsync"/>, each with its index; null for one that is not there.</summary>
    public static async IAsyncEnumerable<(int Index, Content? Content)> ReadKeptAsync(
        this ContentStore store, long[] numbers, long[] sizes, bool keep, [EnumeratorCancellation] CancellationToken cancel)
    {
        for (var i = 0; i < numbers.Length;)
        {
            // A reading that has failed is over: the next begins behind it.
            var reading = store.ReadManyAsync(numbers[i..], sizes[i..], keep, cancel: cancel).GetAsyncEnumerator(cancel);
            await using (reading.ConfigureAwait(false))
            {
                Content? content;
                do
                {
                    content = await NextAsync(reading).ConfigureAwait(false);
                    yield return (i++, content);
                }
                while (content is not null && i < numbers.Length);
            }
        }
    }

    private static async ValueTask<Content?> NextAsync(IAsyncEnumerator<Content> reading)
    {
        try
        {
            return await reading.MoveNextAsync().ConfigureAwait(false) ? reading.Current : null;
        }
        catch (ContentMissingException)
        {
            return null;
        }
    }
}
