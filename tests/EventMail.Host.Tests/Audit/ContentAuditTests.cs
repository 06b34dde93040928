using System.Security.Cryptography;
using EventMail.Host.Cli;

namespace EventMail.Host.Tests.Audit;

/// <summary>`audit verify --contents`: somebody with the database, the files and the keys exchanges messages, or makes away with them.</summary>
public sealed class ContentAuditTests : IAsyncLifetime
{
    private const int InFile = 100_000;

    private readonly AuditStore _store = new();

    public Task InitializeAsync() => _store.InitializeAsync();

    public Task DisposeAsync() => _store.DisposeAsync();

    private static string DigestOf(byte[] octets) => Convert.ToHexStringLower(SHA256.HashData(octets));

    private Task<long> NumberAsync(byte[] octets) =>
        _store.ScalarAsync<long>($"select number from eventmail.content where digest = '\\x{DigestOf(octets)}'");

    private async Task<string> AlteredAsync(params string[] more)
    {
        var result = await _store.RunAsync(["audit", "verify", "--contents", .. more]);
        result.ExitCode.ShouldBe(ExitCodes.Altered, result.Output + result.Error);
        // The events are as they were.
        $"\n{result.Output}".ShouldNotContain("\nCHANGED");
        return result.Output;
    }

    [Fact]
    public async Task Messages_that_are_what_the_log_says_are_counted()
    {
        await _store.SendAsync();
        await _store.SendAsync(InFile);
        (await _store.DoAsync("audit", "verify", "--contents")).ShouldContain("3 contents, ");
        (await _store.DoAsync("audit", "verify", "--contents", "--account", AuditStore.Address)).ShouldContain("3 contents, ");
        (await _store.DoAsync("audit", "verify", "--contents", "--json")).ShouldContain("\"contents\":{\"contents\":3,");
        (await _store.RunAsync("audit", "verify", "--contents", "--offline", "/nowhere")).ExitCode.ShouldBe(ExitCodes.Usage);
    }

    [Fact]
    public async Task Messages_that_were_exchanged_are_named()
    {
        var (one, other) = (await NumberAsync(await _store.SendAsync()), await NumberAsync(await _store.SendAsync()));
        // Rows with all that is in them, their keys too: of which each opens for its own number alone.
        await _store.ExecuteAsync($"""
            update eventmail.content set number = -1 where number = {one};
            update eventmail.content set number = {one} where number = {other};
            update eventmail.content set number = {other} where number = -1
            """);
        var output = await AlteredAsync();
        output.ShouldContain($"EXCHANGED  content {one} of position ");
        output.ShouldContain($"EXCHANGED  content {other} of position ");
        output.ShouldContain("1 content, ");
        output.ShouldContain("2 faults.");
        // The digests put right as well.
        await _store.ExecuteAsync($"""
            update eventmail.content c set digest = sha256(o.number::text::bytea) from eventmail.content o where c.number in ({one}, {other}) and o.number = c.number;
            update eventmail.content c set digest = decode(e.data->'Content'->>'Sha256', 'hex') from public.mt_events e
            where c.number in ({one}, {other}) and e.type = 'message_received' and (e.data->'Content'->>'Number')::bigint = c.number
            """);
        (await AlteredAsync()).ShouldContain($"DAMAGED  content {one} of position ");
    }

    [Fact]
    public async Task Octets_that_somebody_with_the_keys_wrote_anew_are_named()
    {
        var number = await NumberAsync(await _store.SendAsync());
        await _store.ExecuteAsync($"update eventmail.content set data = 'another message', size = 15, kek = null, key = null where number = {number}");
        (await AlteredAsync()).ShouldContain($"DAMAGED  content {number} of position ");
        (await AlteredAsync("--json")).ShouldContain($"\"content\":{{\"fault\":\"damaged\",\"number\":{number},");
    }

    [Fact]
    public async Task A_file_with_one_octet_changed_is_named_and_so_is_one_that_is_gone()
    {
        var number = await NumberAsync(await _store.SendAsync(InFile));
        var file = Directory.EnumerateFiles(Path.Combine(_store.Folder, "content"), $"*-{number}*", SearchOption.AllDirectories).ShouldHaveSingleItem();
        var octets = await File.ReadAllBytesAsync(file);
        octets[70_000] ^= 1;
        await File.WriteAllBytesAsync(file, octets);
        (await AlteredAsync()).ShouldContain($"DAMAGED  content {number} of position ");
        File.Delete(file);
        (await AlteredAsync()).ShouldContain($"content {number} is missing");
    }

    [Fact]
    public async Task What_was_erased_by_an_order_is_none_and_what_was_deleted_without_one_is_named()
    {
        var (erased, deleted) = (await _store.SendAsync(), await NumberAsync(await _store.SendAsync()));
        await _store.DoAsync("erase", "content", DigestOf(erased), "--reason", "test");
        (await _store.DoAsync("audit", "verify", "--contents")).ShouldContain("1 were released or erased, as events say.");
        await _store.ExecuteAsync($"delete from eventmail.content where number = {deleted}");
        var output = await AlteredAsync();
        output.ShouldContain($"MISSING  content {deleted} of position ");
        output.ShouldContain("no event says that it was released or erased");
        output.ShouldContain("1 fault.");
    }
}
