using System.Text;
using EventMail.Protocols.Smtp.Data;
using EventMail.Testing;
using FsCheck;
using FsCheck.Fluent;

namespace EventMail.Protocols.Tests.Smtp;

public sealed class MessageSpoolTests : IDisposable
{
    private const int Memory = 48 * 1024;
    private static readonly int[] Sizes = [0, 1, 2, 3, 2047, 2048, 2049, 16_384, Memory - 1, Memory, Memory + 1, 65_536, 65_537, 200_000];

    private readonly TestFolder _folder = new();

    [Fact]
    public void However_a_message_is_cut_up_its_header_and_body_come_back()
    {
        var space = new SpoolSpace(_folder.Path, Memory);
        var messages =
            from header in Gen.Elements("", "\r\n", "\n", "A: b\r\n\r\n", "A: b\n\n", "A: b\r\n c\n\r\n", "\r\r\n\r\n", "no colon at all")
            from padding in Gen.Elements(0, 1, 2040, 5000)
            from size in Gen.Elements(Sizes)
            from cuts in Gen.Choose(1, 40_000).NonEmptyListOf()
            select (Header: padding > 0 && header.Length > 4 ? header.Insert(4, new string('x', padding)) : header, size, cuts);
        Prop.ForAll(messages.ToArbitrary(), message => HoldsAsync(space, message.Header, message.size, message.cuts))
            .Check(Config.QuickThrowOnFailure.WithMaxTest(300));
        space.Rented.ShouldBe(0);
        Directory.EnumerateFiles(_folder.Path).ShouldBeEmpty();
    }

    private static async Task<bool> HoldsAsync(SpoolSpace space, string header, int size, IEnumerable<int> cuts)
    {
        var octets = Encoding.ASCII.GetBytes(header + string.Concat(Enumerable.Repeat("0123456789abcde\n", size / 16 + 1))[..size]);
        await using var spool = space.Begin();
        var at = 0;
        while (at < octets.Length)
        {
            foreach (var cut in cuts)
            {
                var count = Math.Min(cut, octets.Length - at);
                await spool.WriteAsync(octets.AsMemory(at, count), default);
                at += count;
            }
        }

        spool.Size.ShouldBe(octets.Length);
        var end = HeaderEnd(octets);
        spool.HasEmptyLine.ShouldBe(end >= 0);
        spool.Header.ToArray().ShouldBe(octets[..(end < 0 ? octets.Length : end)]);
        for (var reading = 0; reading < 2; reading++)
        {
            using var body = new MemoryStream();
            await foreach (var piece in spool.BodyAsync())
                await body.WriteAsync(piece);
            body.ToArray().ShouldBe(octets[spool.Header.Length..]);
        }
        return true;
    }

    // By lines, as one would do it with all of it at hand.
    private static int HeaderEnd(byte[] octets)
    {
        for (var line = 0; line < octets.Length;)
        {
            var end = Array.IndexOf(octets, (byte)'\n', line);
            if (end < 0)
                return -1;
            if (end == line || (end == line + 1 && octets[line] == '\r'))
                return end + 1;
            line = end + 1;
        }
        return -1;
    }

    [Fact]
    public async Task Beyond_the_memory_of_one_message_it_is_a_file_that_goes_with_it()
    {
        var space = new SpoolSpace(_folder.Path, Memory);
        var spool = space.Begin();
        await spool.WriteAsync(Encoding.ASCII.GetBytes("A: b\r\n\r\n" + new string('x', Memory - 8)), default);
        Directory.EnumerateFiles(_folder.Path).ShouldBeEmpty();
        await spool.WriteAsync("x"u8.ToArray(), default);
        var file = Directory.EnumerateFiles(_folder.Path).ShouldHaveSingleItem();
        if (!OperatingSystem.IsWindows())
            File.GetUnixFileMode(file).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        await spool.DisposeAsync();
        Directory.EnumerateFiles(_folder.Path).ShouldBeEmpty();
    }

    [Fact]
    public async Task Where_the_memory_of_all_messages_is_used_up_the_next_is_a_file_at_once()
    {
        var space = new SpoolSpace(_folder.Path, Memory, forAll: 20_000);
        await using var first = space.Begin();
        await first.WriteAsync(Encoding.ASCII.GetBytes("A: b\r\n\r\n" + new string('x', 100)), default);
        Directory.EnumerateFiles(_folder.Path).ShouldHaveSingleItem();
    }

    [Fact]
    public async Task A_header_beyond_its_limit_is_not_kept()
    {
        var space = new SpoolSpace(_folder.Path, Memory) { MaxHeader = 10_000 };
        await using var spool = space.Begin();
        for (var i = 0; i < 100; i++)
            await spool.WriteAsync(Encoding.ASCII.GetBytes("X: " + new string('x', 500) + "\r\n"), default);
        spool.HeaderTooLong.ShouldBeTrue();
        spool.Size.ShouldBe(100 * 505);
        space.Rented.ShouldBeLessThan(100_000);
    }

    [Fact]
    public void What_a_server_that_was_killed_left_behind_is_deleted_at_the_start()
    {
        Directory.CreateDirectory(_folder.Path);
        File.WriteAllText(Path.Combine(_folder.Path, "left"), "mail");
        _ = new SpoolSpace(_folder.Path);
        Directory.EnumerateFiles(_folder.Path).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_file_that_cannot_be_made_is_an_error_of_the_disk()
    {
        var space = new SpoolSpace(_folder.Path, Memory);
        Directory.Delete(_folder.Path);
        await using var spool = space.Begin();
        await Should.ThrowAsync<IOException>(async () => await spool.WriteAsync((byte[])[.. "\r\n"u8, .. new byte[2 * Memory]], default));
    }

    public void Dispose() => _folder.Dispose();
}
