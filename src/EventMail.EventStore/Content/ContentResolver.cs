using System.Buffers.Binary;
using Npgsql;

namespace EventMail.EventStore;

/// <summary>Gives contents their final numbers before commands decide: a digest is stored once.</summary>
internal static class ContentResolver
{
    /// <param name="lookUpAll">
    /// After a conflict: any of them may be stored by now, not only those staged so; what was stored may be gone; and a key with which one was wrapped
    /// may be retired.
    /// </param>
    public static async Task ResolveAsync(
        IReadOnlyList<PendingCommand> commands, ContentStore store, NpgsqlConnection connection, NpgsqlTransaction? transaction, bool lookUpAll,
        CancellationToken cancel)
    {
        Dictionary<byte[], StagedContent>? first = null;
        List<byte[]>? unsure = null;
        foreach (var command in commands)
            foreach (var content in command.Command.Contents)
            {
                first ??= new(DigestComparer.Instance);
                if (!first.TryAdd(content.Digest, content))
                    continue;
                if (lookUpAll || (content.MayExist && !content.Exists))
                    (unsure ??= []).Add(content.Digest);
            }
        if (first is null)
            return;
        if (unsure is not null)
            await LookUpAsync(first, unsure, connection, transaction, cancel);
        if (lookUpAll)
            await WrapAnewAsync([.. first.Values.Where(content => !content.Exists)], store, connection, transaction, cancel);
        foreach (var command in commands)
            foreach (var content in command.Command.Contents)
                if (first[content.Digest] is var original && original != content)
                    content.Become(original);
    }

    private static async Task LookUpAsync(
        Dictionary<byte[], StagedContent> contents, List<byte[]> digests, NpgsqlConnection connection, NpgsqlTransaction? transaction,
        CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand(
            "select digest, number from eventmail.content where digest = any($1) and not moved", connection, transaction);
        command.Parameters.Add(new NpgsqlParameter<byte[][]> { TypedValue = [.. digests] });
        var stored = new HashSet<StagedContent>();
        await using (var reader = await command.ExecuteReaderAsync(cancel))
            while (await reader.ReadAsync(cancel))
            {
                var content = contents[reader.GetFieldValue<byte[]>(0)];
                (content.Number, content.Exists) = (reader.GetInt64(1), true);
                stored.Add(content);
            }
        foreach (var digest in digests)
            if (contents[digest] is { Exists: true } content && !stored.Contains(content))
                content.BecomeItself();
    }

    private static async Task WrapAnewAsync(
        List<StagedContent> contents, ContentStore store, NpgsqlConnection connection, NpgsqlTransaction? transaction, CancellationToken cancel)
    {
        var named = contents.Select(content => content.Key?.WrappingKey).OfType<long>().Distinct().ToArray();
        if (named.Length == 0)
            return;
        var retired = await WrappedKeyTables.RetiredAsync(named, connection, transaction, cancel);
        if (retired.Count == 0)
            return;
        store.Keys.Retire(retired);
        foreach (var content in contents)
            if (content.Key is { } key && retired.Contains(key.WrappingKey))
                content.WrapAnew(store);
    }

    private sealed class DigestComparer : IEqualityComparer<byte[]>
    {
        public static readonly DigestComparer Instance = new();

        public bool Equals(byte[]? x, byte[]? y) => x.AsSpan().SequenceEqual(y);

        public int GetHashCode(byte[] digest) => BinaryPrimitives.ReadInt32LittleEndian(digest);
    }
}
