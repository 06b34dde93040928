using System.Globalization;
using System.Text;

namespace EventMail.EndToEnd.Differential;

/// <summary>The same messages, fetched from our server and from Dovecot in every way that there is.</summary>
public sealed class DifferentialMessageTests(Peers peers) : IClassFixture<Peers>
{
    private const int ItemsAtOnce = 30;

    private static readonly string[] FlagsOfMessages = ["", @"\Seen", @"\Flagged \Seen", @"\Answered", "Keyword", @"\Deleted $Forwarded", @"\Draft"];

    [NeedsCorpusFact(Dovecot.Program)]
    public Task Every_message_of_the_corpus_is_fetched_and_found_as_from_Dovecot() => CompareAsync("corpus", Corpus.Messages);

    [NeedsFact(Dovecot.Program)]
    public Task Messages_made_to_be_difficult_are_fetched_and_found_as_from_Dovecot() => CompareAsync("made", MadeMessages.All);

    private async Task CompareAsync(string source, IReadOnlyDictionary<string, byte[]> messages)
    {
        var account = await peers.NewAccountAsync();
        await using var session = await account.OpenAsync();
        await FillAsync(session, messages.Values);
        var differences = new Differences(ExplainedDifferences.Of(source));
        var names = messages.Keys.ToList();
        await session.RunAsync("EXAMINE INBOX");
        var (whole, _) = await session.RunAsync("FETCH 1:* (FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODY BODYSTRUCTURE UID)");
        await CompareAsync("1:*", "FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODY BODYSTRUCTURE UID RFC822 RFC822.HEADER RFC822.TEXT");
        for (var number = 1; number <= names.Count; number++)
        {
            var sections = Sections.Of(whole.Fetched[(number, "BODYSTRUCTURE")]).Select(section => $"BODY.PEEK[{section}]");
            var size = int.Parse(whole.Fetched[(number, "RFC822.SIZE")].Text, CultureInfo.InvariantCulture);
            foreach (var items in sections.Concat(Partials(size)).Chunk(ItemsAtOnce))
            {
                await CompareAsync($"{number}", string.Join(' ', items));
            }
        }

        await Binaries.CompareAsync(session, whole, names, differences);
        await Searches.CompareAsync(session, source, names, [.. messages.Values], differences);
        await Orders.CompareAsync(session, source, names, differences);
        differences.ShouldAllBeExplained();

        async Task CompareAsync(string set, string items)
        {
            var (ours, theirs) = await session.RunAsync($"FETCH {set} ({items})");
            theirs.Status.ShouldBe("OK", theirs.Raw);
            ours.Status.ShouldBe("OK", ours.Raw);
            foreach (var (number, item) in ours.Fetched.Keys.Union(theirs.Fetched.Keys))
            {
                var name = $"{number} {item}";
                differences.Compare(names[number - 1], item, ours.Said.GetValueOrDefault(name), theirs.Said.GetValueOrDefault(name));
            }
        }
    }

    private static IEnumerable<string> Partials(int size)
    {
        foreach (var section in (string[])["", "TEXT", "1", "HEADER", "HEADER.FIELDS (Subject From)"])
        {
            foreach (var (offset, count) in ((int, uint)[])[(0, 1), (0, 100), (0, uint.MaxValue), (5, 100), (size / 3, uint.MaxValue), (Math.Max(0, size - 10), 100), (size, 1), (size + 100, 100)])
            {
                yield return string.Create(CultureInfo.InvariantCulture, $"BODY.PEEK[{section}]<{offset}.{count}>");
            }
        }
    }

    private static async Task FillAsync(PeerSession session, IEnumerable<byte[]> messages)
    {
        var number = 0;
        foreach (var message in messages)
        {
            // A day and a bit apart, in three zones.
            var date = new DateTimeOffset(2024, 1, 1, 0, 30, 0, TimeSpan.Zero).AddHours(25 * number).ToOffset(TimeSpan.FromHours((number % 3) - 1));
            var text = date.ToString("dd-MMM-yyyy HH:mm:ss zzz", CultureInfo.InvariantCulture);
            var command = $"APPEND INBOX ({FlagsOfMessages[number++ % FlagsOfMessages.Length]}) \"{text.Remove(text.Length - 3, 1)}\" "
                + Literals.Of(Encoding.Latin1.GetString(Corpus.AsSent(message)));
            var (ours, theirs) = await session.RunAsync(command);
            ours.Status.ShouldBe("OK", ours.Raw);
            theirs.Status.ShouldBe("OK", theirs.Raw);
        }
    }
}
