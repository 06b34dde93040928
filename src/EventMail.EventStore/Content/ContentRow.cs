using Npgsql;

namespace EventMail.EventStore;

/// <summary>A row of eventmail.content without its bytes, which are read behind it.</summary>
internal readonly record struct ContentRow(long Number, byte[] Digest, long Size, WrappedKey? Key, bool IsFile)
{
    /// <summary>In this order; the bytes are asked for as the next one.</summary>
    public const string Columns = "c.number, c.digest, c.size, c.kek, c.key, c.data is null";

    /// <summary>The ordinal of the bytes.</summary>
    public const int Data = 6;

    public static ContentRow Of(NpgsqlDataReader reader)
    {
        var (number, digest, size) = (reader.GetInt64(0), reader.GetFieldValue<byte[]>(1), reader.GetInt64(2));
        WrappedKey? key = reader.IsDBNull(3) ? null : new(reader.GetInt64(3), reader.GetFieldValue<byte[]>(4));
        return new(number, digest, size, key, reader.GetBoolean(5));
    }
}
