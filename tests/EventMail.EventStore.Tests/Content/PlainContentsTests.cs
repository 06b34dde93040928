using System.Text;

namespace EventMail.EventStore.Tests.Contents;

public sealed class PlainContentsTests : IAsyncLifetime
{
    private const int Threshold = 1000;

    private TestLog _log = null!;

    public async Task InitializeAsync() => _log = await TestLog.OpenAsync(options => Configure(options) with { Keys = new() { EncryptContents = false } });

    public async Task DisposeAsync() => await _log.DisposeAsync();

    private static EventLogOptions Configure(EventLogOptions options) =>
        options with { Content = new() { FileThreshold = Threshold, RecentBytes = 0 } };

    private static byte[] Bytes(int i) => Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat($"Letter {i}.\r\n", i % 10 == 0 ? 10_000 : 20)));

    private async Task<List<long>> StoreAsync(int count)
    {
        var numbers = new List<long>();
        for (var i = 0; i < count; i++)
        {
            var staged = await _log.Node.Contents.StageAsync(Bytes(i));
            var stream = Counters.New();
            await _log.ExecuteAsync(new Act(stream, d =>
            {
                d.Append(stream.Key, new CounterNamed(Guid.NewGuid().ToString(), "content"));
                d.Store(staged);
            }, staged));
            numbers.Add(staged.Number);
        }
        return numbers;
    }

    private static async Task ShouldReadAsync(EventLog node, List<long> numbers)
    {
        for (var i = 0; i < numbers.Count; i++)
        {
            await using var content = await node.Contents.ReadAsync(numbers[i]);
            var bytes = new byte[content.Size];
            (await content.ReadAtAsync(0, bytes)).ShouldBe(bytes.Length);
            bytes.AsSpan().SequenceEqual(Bytes(i)).ShouldBeTrue();
        }
    }

    private static async Task<(long Done, List<long> Damaged)> EncryptAsync(EventLog node)
    {
        var work = new PlainContents(node);
        var done = 0L;
        await foreach (var count in work.EncryptAsync(default))
            done = count;
        return (done, work.Damaged);
    }

    [Fact]
    public async Task What_is_plain_is_encrypted_once_by_as_many_as_like_while_others_read_it()
    {
        var numbers = await StoreAsync(150);
        await ShouldReadAsync(_log.Node, numbers); // it remembers the plain files
        var files = Directory.GetFiles(_log.Node.Contents.Files.Root, "*", SearchOption.AllDirectories);
        files.Length.ShouldBe(15);
        var (one, two) = (await _log.AddNodeAsync(Configure), await _log.AddNodeAsync(Configure));
        (await new KeyInventory(one).PlainAsync(default)).ShouldBe((135, 15));

        await Task.WhenAll(EncryptAsync(one), EncryptAsync(two), ShouldReadAsync(_log.Node, numbers));

        (await new KeyInventory(one).PlainAsync(default)).ShouldBe((0, 0));
        (await new KeyInventory(one).UsesAsync(default).ToListAsync()).Sum(use => use.Contents).ShouldBe(150);
        (await _log.ScalarAsync<long>("select count(distinct key) from eventmail.content")).ShouldBe(150);
        (await EncryptAsync(one)).Done.ShouldBe(0);
        await ShouldReadAsync(await _log.AddNodeAsync(Configure), numbers);
        // The plain files go as orphans do, and who remembers them reads the others.
        (await one.Contents.Orphans.CollectAsync(DateTime.UtcNow.AddHours(2), default)).ShouldBe(15);
        files.ShouldAllBe(file => !File.Exists(file));
        await ShouldReadAsync(_log.Node, numbers);
    }

    [Fact]
    public async Task What_an_interrupted_run_left_does_not_stand_in_the_way_and_what_is_damaged_stays_as_it_is()
    {
        var numbers = await StoreAsync(12); // 0 and 10 are files
        var node = await _log.AddNodeAsync(Configure);
        var plain = Directory.GetFiles(node.Contents.Files.Root, "*", SearchOption.AllDirectories);
        foreach (var number in new[] { numbers[0], numbers[10] })
            foreach (var file in plain)
                await File.WriteAllTextAsync($"{file}-{number}", "an old run's");
        await File.AppendAllTextAsync(plain[0], "!");
        await File.WriteAllTextAsync(plain[1], "changed");
        await _log.RunAsync("update eventmail.content set data = '\\x00' where number = $1", numbers[3]);

        var (done, damaged) = await EncryptAsync(node);
        done.ShouldBe(12);
        damaged.ShouldBe([numbers[3], plain[1].EndsWith(Hex(0), StringComparison.Ordinal) ? numbers[0] : numbers[10]], ignoreOrder: true);
        (await new KeyInventory(node).PlainAsync(default)).ShouldBe((1, 1));

        static string Hex(int i) => Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(Bytes(i)));
    }

    [Fact]
    public async Task The_inventory_names_what_is_missing()
    {
        await StoreAsync(9);
        var node = await _log.AddNodeAsync(Configure);
        await EncryptAsync(node);
        var use = await new KeyInventory(node).UsesAsync(default).SingleAsync();
        use.ShouldBe(use with { Contents = 9, Fault = null, File = Directory.GetFiles(node.Keys.Folder).Single() });
        use.Made.ShouldBeInRange(DateTimeOffset.UtcNow.AddMinutes(-5), DateTimeOffset.UtcNow);
        File.Delete(use.File);
        (await new KeyInventory(node).UsesAsync(default).SingleAsync()).Fault.ShouldStartWith($"The wrapping key {use.File} is missing.");
    }
}
