using System.Text;
using EventMail.Domain.Messages;
using EventMail.EventStore;
using EventMail.Projections.Mailboxes;
using EventMail.Projections.SearchText;
using EventMail.Projections.Tests.Mailboxes;
using EventMail.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace EventMail.Projections.Tests.SearchText;

/// <summary>The index of texts answers what a look into every message answers.</summary>
public sealed class SearchTextTests
{
    private static readonly string[] Crafted =
    [
        "From: a@example.test\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe_aus_K=C3=B6ln?=\r\n\r\nfirst line\r\nsecond 100% of a_b\\c 'quoted'\r\n",
        "Subject: folded\r\n over two lines\r\nX-Other: value\r\n\r\n\u212Aelvin \u03A3\u03AF\u03C3\u03C5\u03C6\u03BF\u03C2 \u0130stanbul \U00010400\U00010428\r\n",
        "Subject: ends with foo\r\n\r\nbar begins\0with a nul and \uFFFE\uFFFF\r\n",
        "Subject: two parts\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nonetwo\r\n--b\r\n"
            + "Content-Type: text/html; charset=utf-8\r\n\r\n<b>th</b>ree &lt;four&gt;\r\n--b\r\nContent-Disposition: attachment; filename*=utf-8''%C3%A4.txt\r\n\r\nfive\r\n--b--\r\n",
        "\r\n",
        "Subject: " + new string('x', 5000) + "\r\n\r\n" + string.Concat(Enumerable.Range(0, 3000).Select(i => $"word{i} ")) + "needle-at-the-end\r\n",
        "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n" + Convert.ToBase64String(Encoding.UTF8.GetBytes("日本語のテキスト and more")) + "\r\n",
    ];

    public static string? Corpus { get; } = FindCorpus();

    [Fact]
    public Task Crafted_messages_are_found_as_by_reading_them() => CompareAsync([.. Crafted.Select(Encoding.UTF8.GetBytes)], new());

    [Fact]
    public Task Texts_too_long_to_be_kept_whole_are_found_as_by_reading_them() =>
        CompareAsync([.. Crafted.Select(Encoding.UTF8.GetBytes)], new() { MaxTextLength = 60 });

    [CorpusFact]
    public Task Real_messages_are_found_as_by_reading_them() =>
        CompareAsync([.. Directory.GetFiles(Path.Combine(Corpus!, "messages")).Concat(Directory.GetFiles(Path.Combine(Corpus!, "mbox"))).Select(File.ReadAllBytes)], new());

    [Fact]
    public async Task What_is_not_indexed_yet_has_to_be_read()
    {
        await using var texts = await Texts.OpenAsync(new());
        await texts.AddAsync([.. Crafted.Select(Encoding.UTF8.GetBytes)]);
        await texts.RunAsync("delete from projections.search_text where number % 2 = 0");
        foreach (var inHeader in new[] { false, true })
        {
            var everywhere = (await texts.Index.EverywhereAsync(new("first line"), inHeader, texts.Numbers, 100, default))!;
            var among = (await texts.Index.AmongAsync(new("first line"), inHeader, texts.Numbers, default))!;
            foreach (var number in texts.Numbers)
            {
                everywhere[number].ShouldBe(number % 2 == 0 ? null : number == texts.Numbers[0]);
                among[number].ShouldBe(everywhere[number]);
            }
        }
    }

    [Fact]
    public async Task More_than_was_asked_for_is_no_answer()
    {
        await using var texts = await Texts.OpenAsync(new());
        await texts.AddAsync([.. Enumerable.Range(0, 20).Select(i => Encoding.ASCII.GetBytes($"Subject: {i}\r\n\r\nthe same {i}\r\n"))]);
        (await texts.Index.EverywhereAsync(new("the same"), false, texts.Numbers, 19, default)).ShouldBeNull();
        (await texts.Index.EverywhereAsync(new("the same"), false, texts.Numbers, 20, default)).ShouldNotBeNull();
    }

    [Fact]
    public async Task A_table_that_was_dropped_is_filled_again_and_a_new_version_equals_it()
    {
        const string rows = "select md5(string_agg(t::text, '|' order by number)) from projections.{0} t";
        await using var texts = await Texts.OpenAsync(new());
        await texts.AddAsync([.. Crafted.Select(Encoding.UTF8.GetBytes)]);
        var before = await texts.TextAsync(string.Format(rows, "search_text"));
        before.ShouldNotBeNull();

        await texts.RunAsync("drop table projections.search_text");
        // Meanwhile: right, but slow.
        (await texts.Index.EverywhereAsync(new("first line"), false, texts.Numbers, 100, default)).ShouldBeNull();
        await texts.ReopenAsync(SearchTextProjection.CurrentVersion);
        (await texts.TextAsync(string.Format(rows, "search_text"))).ShouldBe(before);

        await texts.ReopenAsync(version: 3);
        (await texts.TextAsync(string.Format(rows, "search_text"))).ShouldBe(before);
        (await texts.TextAsync("select md5(string_agg(t::text, '|' order by number)) from projections_previous.search_text t")).ShouldBe(before);
        (await texts.Index.EverywhereAsync(new("first line"), false, texts.Numbers, 100, default))![texts.Numbers[0]].ShouldBe(true);
    }

    [Fact]
    public async Task Without_trigrams_the_kept_texts_still_answer()
    {
        await using var texts = await Texts.OpenAsync(new());
        await texts.AddAsync([.. Crafted.Select(Encoding.UTF8.GetBytes)]);
        await texts.RunAsync("drop index projections.search_text_trigrams");
        (await texts.Index.EverywhereAsync(new("first line"), false, texts.Numbers, 100, default)).ShouldBeNull();
        (await texts.Index.AmongAsync(new("FIRST Line"), false, texts.Numbers, default))![texts.Numbers[0]].ShouldBe(true);
    }

    private static async Task CompareAsync(byte[][] messages, SearchTextOptions options)
    {
        await using var texts = await Texts.OpenAsync(options);
        await texts.AddAsync(messages);
        var read = messages.Select(bytes => (Bytes: bytes, Map: MapOf(bytes))).ToList();
        var random = new Random(4711);
        var unknown = 0;
        foreach (var needle in Needles(read, random).Distinct().Select(text => new Needle(text)).Where(SearchTextIndex.CanFind))
        {
            foreach (var inHeader in new[] { false, true })
            {
                var everywhere = (await texts.Index.EverywhereAsync(needle, inHeader, texts.Numbers, int.MaxValue - 1, default))!;
                var among = (await texts.Index.AmongAsync(needle, inHeader, texts.Numbers, default))!;
                for (var i = 0; i < messages.Length; i++)
                {
                    bool? expected = DecodedText.Contains(read[i].Map, read[i].Bytes, needle, inHeader);
                    var answer = everywhere[texts.Numbers[i]];
                    unknown += answer is null ? 1 : 0;
                    among[texts.Numbers[i]].ShouldBe(answer, $"message {i}, {needle.Prepared}");
                    (answer ?? expected).ShouldBe(expected, $"message {i}, {needle.Prepared}, header: {inHeader}");
                }
            }
        }
        if (options.MaxTextLength == new SearchTextOptions().MaxTextLength)
            unknown.ShouldBe(0);
        else
            unknown.ShouldBeGreaterThan(0);
    }

    private static PartMap MapOf(byte[] bytes)
    {
        var reader = new MessageReader(MessageLimits.Default);
        reader.Feed(bytes);
        return PartMap.Of(reader.Finish());
    }

    private static IEnumerable<string> Needles(IReadOnlyList<(byte[] Bytes, PartMap Map)> messages, Random random)
    {
        foreach (var needle in new[] { "%", "_", "\\", "100%", "a_b\\c", "axb", "a", "ab", "'quoted'", "foobar", "onetwo", "\n", "line\r\nsecond", "kelvin", "k", "σίσυφος", "ΣΊΣΥΦΟΣ", "i̇stanbul", "\U00010428", "three <four>", "ä.txt", "本語の", "needle-at-the-end", "no such text anywhere", "straße", "GRÜSSE", "grüße" })
            yield return needle;
        for (var i = 0; i < 150; i++)
        {
            var (bytes, map) = messages[random.Next(messages.Count)];
            var all = new StringBuilder();
            DecodedText.ForEach(map, bytes, (text, _) =>
            {
                all.Append(text);
                return all.Length < 200_000;
            });
            if (all.Length == 0)
                continue;
            var start = random.Next(all.Length);
            var needle = all.ToString(start, Math.Min(random.Next(1, i % 3 == 0 ? 4 : 20), all.Length - start));
            yield return (i % 3) switch
            {
                0 => needle,
                1 => needle.ToUpperInvariant(),
                _ => needle[..^1] + (char)random.Next(32, 127),
            };
        }
    }

    private static string? FindCorpus()
    {
        if (Environment.GetEnvironmentVariable("EVENTMAIL_CORPUS") is { Length: > 0 } named)
            return Directory.Exists(named) ? named : null;
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (Directory.Exists(Path.Combine(folder.FullName, "shared/corpus")))
                return Path.Combine(folder.FullName, "shared/corpus");
        }
        return null;
    }

    private sealed class CorpusFactAttribute : FactAttribute
    {
        public CorpusFactAttribute()
        {
            if (Corpus is null)
                Skip = "No corpus of real messages: set EVENTMAIL_CORPUS.";
        }
    }

    /// <summary>A log whose messages are indexed.</summary>
    private sealed class Texts : IAsyncDisposable
    {
        private readonly TestDatabase _database;
        private readonly SearchTextOptions _options;
        private readonly List<long> _numbers = [];
        private MailNode _node;

        private Texts(TestDatabase database, SearchTextOptions options, MailNode node) => (_database, _options, _node) = (database, options, node);

        public SearchTextIndex Index { get; private set; } = null!;

        /// <summary>The messages', in the order of their coming; equal messages have one.</summary>
        public long[] Numbers => [.. _numbers];

        public static async Task<Texts> OpenAsync(SearchTextOptions options)
        {
            var database = await MailNode.DatabaseAsync();
            var projection = new SearchTextProjection(options, NullLoggerFactory.Instance);
            var node = await MailNode.StartAsync(database, projections: [projection]);
            await node.AddAccountAsync("account1");
            return new(database, options, node) { Index = new(node.Log, projection, NullLoggerFactory.Instance) };
        }

        public async Task AddAsync(IReadOnlyList<byte[]> messages)
        {
            foreach (var bytes in messages)
            {
                await using var message = IncomingMessage.Begin(_node.Log.Contents);
                await message.WriteAsync(bytes, default);
                var content = await message.CompleteAsync(mayExist: true, default);
                (await _node.Mailboxes.AppendAsync("account1", "INBOX", content, [], DateTimeOffset.UnixEpoch, MailNode.Someone, null, default))
                    .Rejection.ShouldBeNull();
                _numbers.Add(content.Number);
            }
            await _node.Log.Projections.WaitForAsync(SearchTextProjection.ProjectionName, default);
        }

        public async Task ReopenAsync(int version)
        {
            await _node.DisposeAsync();
            var projection = new SearchTextProjection(_options, NullLoggerFactory.Instance, version);
            _node = await MailNode.StartAsync(_database, projections: [projection]);
            Index = new(_node.Log, projection, NullLoggerFactory.Instance);
            await _node.Log.Projections.WaitForAsync(SearchTextProjection.ProjectionName, default);
        }

        public async Task RunAsync(string sql)
        {
            await using var command = _node.Log.DataSource.CreateCommand(sql);
            await command.ExecuteNonQueryAsync();
        }

        public async Task<string?> TextAsync(string sql)
        {
            await using var command = _node.Log.DataSource.CreateCommand(sql);
            return await command.ExecuteScalarAsync() as string;
        }

        public async ValueTask DisposeAsync()
        {
            await _node.DisposeAsync();
            await _database.DisposeAsync();
        }
    }
}
