using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;

namespace EventMail.EventStore.Tests.Keys;

public sealed class KeyRingTests : IDisposable
{
    private const UnixFileMode OwnersFile = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly string _data = Directory.CreateTempSubdirectory("eventmail-keys-").FullName;
    private readonly byte[] _key = RandomNumberGenerator.GetBytes(KeyRing.KeyBytes);
    private readonly KeyRing _ring;

    public KeyRingTests() => _ring = Open();

    public void Dispose()
    {
        _ring.Dispose();
        Directory.Delete(_data, recursive: true);
    }

    private KeyRing Open() => new(new(), _data, TimeProvider.System, NullLogger.Instance);

    private static byte[]? Unwrap(KeyRing ring, WrappedKey wrapped, string purpose = "a")
    {
        var key = new byte[KeyRing.KeyBytes];
        return ring.TryUnwrap(wrapped.WrappingKey, wrapped.Octets, Encoding.UTF8.GetBytes(purpose), key) ? key : null;
    }

    [Fact]
    public void A_key_that_another_process_wrapped_after_this_one_started_is_unwrapped()
    {
        using var other = Open();
        var (here, there) = (_ring.Wrap(_key, "a"u8), other.Wrap(_key, "a"u8));
        here.WrappingKey.ShouldNotBe(there.WrappingKey);
        here.Octets.ShouldNotBe(there.Octets);
        Unwrap(other, here).ShouldBe(_key);
        Unwrap(_ring, there).ShouldBe(_key);
        _ring.Numbers().ShouldBe([.. new[] { here.WrappingKey, there.WrappingKey }.Order()]);
    }

    [Fact]
    public void A_key_is_unwrapped_for_its_own_purpose_and_by_its_own_wrapping_key_only()
    {
        using var other = Open();
        var wrapped = _ring.Wrap(_key, "a"u8);
        Unwrap(_ring, wrapped, "b").ShouldBeNull();
        Unwrap(_ring, wrapped with { WrappingKey = other.Wrap(_key, "a"u8).WrappingKey }).ShouldBeNull();
        Unwrap(_ring, wrapped with { Octets = wrapped.Octets[1..] }).ShouldBeNull();
        Unwrap(_ring, wrapped with { Octets = [] }).ShouldBeNull();
        for (var i = 0; i < wrapped.Octets.Length; i++)
        {
            var changed = (byte[])wrapped.Octets.Clone();
            changed[i] ^= 1;
            Unwrap(_ring, wrapped with { Octets = changed }).ShouldBeNull();
        }
    }

    [Fact]
    public void Wrapping_keys_are_for_their_owner_alone_and_nothing_is_made_before_there_is_need()
    {
        Directory.Exists(_ring.Folder).ShouldBeFalse();
        _ring.Numbers().ShouldBeEmpty();
        var wrapped = _ring.Wrap(_key, "a"u8);
        File.GetUnixFileMode(_ring.Folder).ShouldBe(OwnersFile | UnixFileMode.UserExecute);
        Directory.GetFileSystemEntries(_ring.Folder).ShouldBe([_ring.PathOf(wrapped.WrappingKey)]);
        File.GetUnixFileMode(_ring.PathOf(wrapped.WrappingKey)).ShouldBe(OwnersFile);
        // The files do not hold what they wrap, nor the other way round.
        File.ReadAllBytes(_ring.PathOf(wrapped.WrappingKey)).AsSpan().IndexOf(_key).ShouldBe(-1);
        wrapped.Octets.AsSpan().IndexOf(_key).ShouldBe(-1);
    }

    [Fact]
    public void A_wrapping_key_wraps_so_many_keys_and_no_more()
    {
        var all = Enumerable.Range(0, 2 * KeyRing.MaxKeysEach + 1).Select(_ => _ring.Wrap(_key, "a"u8).WrappingKey).ToList();
        all.CountBy(number => number).Select(pair => pair.Value).ShouldBe([KeyRing.MaxKeysEach, KeyRing.MaxKeysEach, 1]);
    }

    [Fact]
    public void Threads_that_wrap_at_once_exceed_no_limit()
    {
        var all = new WrappedKey[3 * KeyRing.MaxKeysEach];
        Parallel.For(0, all.Length, i => all[i] = _ring.Wrap(_key, "a"u8));
        all.CountBy(wrapped => wrapped.WrappingKey).Max(pair => pair.Value).ShouldBeLessThanOrEqualTo(KeyRing.MaxKeysEach);
        using var other = Open();
        Parallel.ForEach(all, wrapped => Unwrap(other, wrapped).ShouldBe(_key));
    }

    [Theory]
    [InlineData("missing", "is missing")]
    [InlineData("empty", "is damaged: it is not 48 octets long")]
    [InlineData("changed", "is damaged: its check sum is wrong")]
    [InlineData("another's", "is damaged: its check sum is wrong")]
    public void A_wrapping_key_that_is_missing_or_damaged_is_named(string how, string fault)
    {
        using var reader = Open();
        var (wrapped, other) = (_ring.Wrap(_key, "a"u8), reader.Wrap(_key, "a"u8));
        var path = _ring.PathOf(wrapped.WrappingKey);
        var whole = File.ReadAllBytes(path);
        reader.FaultOf(wrapped.WrappingKey).ShouldBeNull();
        switch (how)
        {
            case "missing":
                File.Delete(path);
                break;
            case "empty":
                File.WriteAllBytes(path, []);
                break;
            case "changed":
                File.WriteAllBytes(path, [.. whole[..10], (byte)(whole[10] ^ 1), .. whole[11..]]);
                break;
            default:
                File.Copy(_ring.PathOf(other.WrappingKey), path, overwrite: true);
                break;
        }
        var error = Should.Throw<WrappingKeyMissingException>(() => Unwrap(reader, wrapped));
        error.WrappingKey.ShouldBe(wrapped.WrappingKey);
        error.Message.ShouldStartWith($"The wrapping key {path} {fault}.");
        reader.FaultOf(wrapped.WrappingKey).ShouldBe(error.Message);
        // It is looked for anew each time: once it is back, it serves.
        File.WriteAllBytes(path, whole);
        Unwrap(reader, wrapped).ShouldBe(_key);
    }
}
