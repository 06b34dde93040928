using EventMail.Domain.Mailboxes;
using Npgsql;
using NpgsqlTypes;

namespace EventMail.Projections.Mailboxes;

/// <summary>A mailbox's header as columns: of the row that is now (mailbox), of its persisted view, of its pictures.</summary>
internal static class MailboxColumns
{
    /// <summary>For "create table".</summary>
    public const string Definition = """
        version bigint not null,
          name text not null,
          uid_validity bigint not null,
          uid_next bigint not null,
          messages bigint not null,
          unseen bigint not null,
          bytes bigint not null,
          recent_from bigint not null,
          special_use text null,
          keywords text not null,
          deleted boolean not null,
          acl text not null default ''
        """;

    public const string Names = "version, name, uid_validity, uid_next, messages, unseen, bytes, recent_from, special_use, keywords, deleted, acl";

    /// <summary>The names where the table is called m.</summary>
    public const string Selected =
        "m.version, m.name, m.uid_validity, m.uid_next, m.messages, m.unseen, m.bytes, m.recent_from, m.special_use, m.keywords, m.deleted, m.acl";

    /// <summary>How many they are.</summary>
    public const int Count = 12;

    /// <summary>Reads <see cref="Selected"/> from the ordinal <paramref name="at"/> on.</summary>
    public static MailboxState Read(NpgsqlDataReader reader, int at)
    {
        var keywords = reader.GetString(at + 9);
        var state = new MailboxState
        {
            Version = reader.GetInt64(at),
            Name = reader.GetString(at + 1),
            UidValidity = (uint)reader.GetInt64(at + 2),
            UidNext = (uint)reader.GetInt64(at + 3),
            Messages = reader.GetInt64(at + 4),
            Unseen = reader.GetInt64(at + 5),
            Bytes = reader.GetInt64(at + 6),
            RecentFrom = (uint)reader.GetInt64(at + 7),
            SpecialUse = reader.IsDBNull(at + 8) ? null : reader.GetString(at + 8),
            Flags = keywords.Length == 0 ? FlagTable.Empty : FlagTable.Of(keywords.Split(' ')),
            Deleted = reader.GetBoolean(at + 10),
            Acl = AccessList.Parse(reader.GetString(at + 11)),
        };
        return state.Messages > 0 ? state : state with { View = MailboxView.FromChunks([], state.UidNext, state.Version, state.Flags) };
    }

    /// <summary>Adds the values of a state, in the order of <see cref="Names"/>.</summary>
    public static void Add(NpgsqlParameterCollection parameters, MailboxState state)
    {
        parameters.Add(new() { Value = state.Version });
        parameters.Add(new() { Value = state.Name });
        parameters.Add(new() { Value = (long)state.UidValidity });
        parameters.Add(new() { Value = (long)state.UidNext });
        parameters.Add(new() { Value = state.Messages });
        parameters.Add(new() { Value = state.Unseen });
        parameters.Add(new() { Value = state.Bytes });
        parameters.Add(new() { Value = (long)state.RecentFrom });
        parameters.Add(new() { Value = (object?)state.SpecialUse ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text });
        parameters.Add(new() { Value = KeywordsOf(state) });
        parameters.Add(new() { Value = state.Deleted });
        parameters.Add(new() { Value = state.Acl.ToString() });
    }

    // Keywords are atoms: none has a space.
    public static string KeywordsOf(MailboxState state) => string.Join(' ', state.Flags.Keywords);
}
