using System.Buffers.Binary;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using Npgsql;

namespace EventMail.Projections.History.Index;

/// <summary>
/// What the index keeps instead of addresses, sessions and ids: keyed hashes of 64 bits. The key stays the same for all generations of the
/// index, and is with the settings, which a copy of the read models' schema does not have.
/// </summary>
internal sealed class HistoryKey
{
    private const string Setting = "history_key";

    // Longer ones are hashed in memory of their own.
    private const int OnStack = 512;

    private readonly SipHash _hash;

    private HistoryKey(byte[] key) => _hash = new(key);

    public long Account(string id) => Of('A', id);

    public long Session(string id) => Of('S', id);

    public long Client(IPAddress client) => Of('C', client.ToString());

    /// <param name="name">Canonical.</param>
    public long Name(string name) => Of('N', name);

    public long MessageId(string id) => Of('M', id);

    /// <param name="sha256">Lower-case hex.</param>
    public long Digest(string sha256) => Of('D', sha256);

    /// <summary>A message of a mailbox.</summary>
    /// <param name="uid">0 stands for what touches many.</param>
    public long Place(Guid mailbox, uint uid)
    {
        Span<byte> text = stackalloc byte[1 + 16 + sizeof(uint)];
        text[0] = (byte)'P';
        mailbox.TryWriteBytes(text[1..], bigEndian: true, out _);
        BinaryPrimitives.WriteUInt32BigEndian(text[17..], uid);
        return (long)_hash.Of(text);
    }

    // What is hashed for one purpose must not be found under another.
    private long Of(char purpose, string text)
    {
        var length = 1 + Encoding.UTF8.GetMaxByteCount(text.Length);
        var bytes = length <= OnStack ? stackalloc byte[OnStack] : new byte[length];
        bytes[0] = (byte)purpose;
        return (long)_hash.Of(bytes[..(1 + Encoding.UTF8.GetBytes(text, bytes[1..]))]);
    }

    /// <summary>Makes one where there is none.</summary>
    public static async Task CreateAsync(NpgsqlConnection connection, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand($"insert into eventmail.setting (name, value) values ('{Setting}', $1) on conflict (name) do nothing", connection)
        {
            Parameters = { new() { Value = Convert.ToBase64String(RandomNumberGenerator.GetBytes(SipHash.KeyBytes)) } },
        };
        await command.ExecuteNonQueryAsync(cancel).ConfigureAwait(false);
    }

    public static async Task<HistoryKey> ReadAsync(NpgsqlConnection connection, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand($"select value from eventmail.setting where name = '{Setting}'", connection);
        return await command.ExecuteScalarAsync(cancel).ConfigureAwait(false) is string text
            ? new(Convert.FromBase64String(text))
            : throw new InvalidDataException($"eventmail.setting has no {Setting}: drop the table projections.history, and it is built anew at the next start");
    }
}
