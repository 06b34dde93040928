using Npgsql;

namespace EventMail.EventStore;

/// <summary>A table whose rows hold a wrapped key each, in its columns kek (the wrapping key's number; indexed) and key.</summary>
/// <param name="Kind">What is wrapped, for the files of a backup.</param>
/// <param name="Id">The column that a row is known by, unique.</param>
/// <param name="IdType">Its type.</param>
/// <param name="PurposeOf">What the key of the row with that id, as text, is wrapped for.</param>
internal sealed record WrappedKeyTable(string Kind, string Table, string Id, string IdType, Func<string, byte[]> PurposeOf);

/// <summary>
/// Every table that holds wrapped keys: what destroys a wrapping key wraps anew what they hold, and a backup of the keys holds their rows.
/// Whoever inserts into one of them demands <see cref="IsNotRetired"/> in the statement that inserts.
/// </summary>
internal static class WrappedKeyTables
{
    public static IReadOnlyList<WrappedKeyTable> All { get; } =
    [
        new("content-keys", "eventmail.content", "number", "bigint", id => ContentKeys.PurposeOf(long.Parse(id, System.Globalization.CultureInfo.InvariantCulture))),
        new("subject-keys", "eventmail.subject_key", "subject", "text", SubjectKeys.PurposeOf),
    ];

    /// <summary>
    /// SQL: the wrapping key of that number may still be named. It must stand in the statement that inserts or updates the row: <see cref="KeyRetirement"/>
    /// waits for those that began before the key was retired, and those that begin later see that it is.
    /// </summary>
    public static string IsNotRetired(string kek) => $"not exists (select from eventmail.retired_key retired where retired.kek = {kek})";

    /// <summary>Those of these wrapping keys that are retired.</summary>
    public static async Task<HashSet<long>> RetiredAsync(
        long[] wrappingKeys, NpgsqlConnection connection, NpgsqlTransaction? transaction, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand("select kek from eventmail.retired_key where kek = any($1)", connection, transaction)
        {
            Parameters = { new NpgsqlParameter<long[]> { TypedValue = wrappingKeys } },
        };
        var retired = new HashSet<long>();
        await using var reader = await command.ExecuteReaderAsync(cancel);
        while (await reader.ReadAsync(cancel))
            retired.Add(reader.GetInt64(0));
        return retired;
    }
}
