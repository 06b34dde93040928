using System.Text;
using EventMail.EventStore.Proof;

namespace EventMail.EventStore.Tests.Proof;

public class EventExportTests
{
    private static async Task<string> WriteAsync(params (long Position, string Line)[] events)
    {
        var stream = new MemoryStream();
        var writer = new EventExportWriter(stream, EventExportHeader.Of());
        foreach (var (position, line) in events)
            await writer.WriteAsync(position, Encoding.UTF8.GetBytes(line), default);
        await writer.FinishAsync(default);
        return Encoding.UTF8.GetString(stream.ToArray());
    }

    private static async Task<List<(long, string)>> ReadAsync(string text)
    {
        var reader = await EventExportReader.OpenAsync(new MemoryStream(Encoding.UTF8.GetBytes(text)), default);
        reader.Header.IsWholeLog.ShouldBeTrue();
        var events = new List<(long, string)>();
        await foreach (var e in reader.ReadAsync(default))
            events.Add((e.Position, Encoding.UTF8.GetString(e.Line.Span)));
        reader.Trailer!.Events.ShouldBe(events.Count);
        return events;
    }

    [Fact]
    public async Task What_is_written_is_read_again()
    {
        (long, string)[] events = [(1, "{}"), (4, """{"a":1}"""), (17, $$"""{"long":"{{new string('x', 200_000)}}"}"""), (18, "{}")];
        var text = await WriteAsync(events);
        text.Split('\n')[0].ShouldBe("""{"export":"eventmail events","version":1,"tenant":null,"after":0}""");
        text.Split('\n')[2].ShouldBe("""4 {"a":1}""");
        (await ReadAsync(text)).ShouldBe(events);
        (await ReadAsync(await WriteAsync())).ShouldBeEmpty();
    }

    [Fact]
    public async Task An_export_of_many_times_what_is_read_at_once_is_read_again()
    {
        var events = Enumerable.Range(1, 5_000).Select(i => ((long)i, $$"""{"n":{{i}},"x":"{{new string('x', i % 997)}}"}""")).ToArray();
        (await ReadAsync(await WriteAsync(events))).ShouldBe(events);
    }

    [Fact]
    public async Task An_export_that_was_cut_off_or_changed_is_refused_with_the_line()
    {
        var text = await WriteAsync((1, "{}"), (2, """{"a":1}"""), (3, "{}"));
        var lines = text.Split('\n');
        await Fails("", "the export is empty");
        await Fails("{}\n", "line 1: this is no export of events");
        await Fails("hello\n", "line 1: this is no export of events");
        await Fails(text.Replace("\"version\":1", "\"version\":2"), "line 1: an export of format 2; this program reads 1");
        await Fails(text[..^1], "the export was cut off in line 5");
        await Fails(string.Join('\n', lines[..4]) + '\n', "the export was cut off behind line 4: its last line is missing");
        await Fails(text.Replace("\"a\":1", "\"a\":2"), "the export was changed: its last line tells of 3 other events than the 3 in it");
        await Fails(text.Replace("2 {", "9 {"), "line 4: position 3 stands behind 9: an event was inserted or moved");
        await Fails(text.Replace("2 {", "two {"), "line 3 is not a position, a space and an event");
        await Fails(text.Replace("2 {\"a\":1}", "2"), "line 3 is not a position, a space and an event");
        await Fails(text + "4 {}\n", "line 6: something stands behind the last line");

        static async Task Fails(string text, string message) => (await Should.ThrowAsync<InvalidDataException>(() => ReadAsync(text))).Message.ShouldBe(message);
    }

    [Fact]
    public async Task Positions_ascend()
    {
        var writer = new EventExportWriter(new MemoryStream(), EventExportHeader.Of("t1", 5));
        await Should.ThrowAsync<ArgumentException>(async () => await writer.WriteAsync(5, "{}"u8, default));
        await writer.WriteAsync(6, "{}"u8, default);
    }
}
