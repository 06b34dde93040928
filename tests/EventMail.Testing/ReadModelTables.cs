namespace EventMail.Testing;

/// <summary>The tables of the read models, and how each is compared with what a fold of the log from the beginning makes.</summary>
public static class ReadModelTables
{
    public const string Schema = "projections";

    /// <summary>Rows that are derived from the log alone.</summary>
    public static IReadOnlyList<string> Derived { get; } =
        ["account", "mail_domain", "address", "mailbox", "quota", "metadata", "metadata_octets", "last_login", "login_place", "login_lockout", "search_text",
        "delivery_queue", "delivery_waiting", "past_name", "history", "history_block", "history_client",
        "past_picture"];

    /// <summary>Columns of theirs that are not: who has claimed a row, for how long, and whether it was seen to be due.</summary>
    public static IReadOnlyDictionary<string, string[]> Claims { get; } =
        new Dictionary<string, string[]> { ["delivery_queue"] = ["lease", "owner", "wake", "ready"] };

    /// <summary>A row t of a derived table as JSON, without what is not derived.</summary>
    public static string RowOf(string table) =>
        $"(to_jsonb(t){string.Concat(Claims.GetValueOrDefault(table, []).Select(column => $" - '{column}'"))})";

    /// <summary>Rows that are made again when they are asked for, with their keys: those that are there on both sides are compared.</summary>
    public static IReadOnlyDictionary<string, string> MadeWhenAsked { get; } =
        new Dictionary<string, string> { ["message_summary"] = "number", ["message_preview"] = "number", ["maildrop_form"] = "tenant_id, content" };

    /// <summary>Written now and then, behind the log: the mailboxes that they lead to are compared.</summary>
    public static IReadOnlyList<string> Snapshots { get; } = ["mailbox_snapshot", "mailbox_segment"];

    public static IEnumerable<string> All => Derived.Concat(MadeWhenAsked.Keys).Concat(Snapshots);
}
