using EventMail.EventStore;
using EventMail.Projections.Mailboxes;
using EventMail.Projections.Maildrops;
using EventMail.Projections.SearchText;
using Npgsql;

namespace EventMail.Projections.Verification;

/// <summary>A row that is derived from one content.</summary>
/// <param name="Key">What finds it, as a JSON object.</param>
/// <param name="Value">The rest of it as a text that is the same for the same row.</param>
internal readonly record struct DerivedRow(long Content, string Key, string Value);

/// <summary>A table whose rows are each derived from one content.</summary>
/// <param name="Number">Its column with the content's number.</param>
/// <param name="Select">The contents' numbers, the keys and the values of the rows of some contents.</param>
/// <param name="Derive">What the value must be.</param>
internal sealed record DerivedTable(
    string Model, string Name, string Number, string Select, Func<Content, CancellationToken, Task<string>> Derive)
{
    public async Task<List<DerivedRow>> ReadAsync(NpgsqlDataSource source, long[] numbers, CancellationToken cancel)
    {
        await using var command = source.CreateCommand(Select);
        command.Parameters.Add(new NpgsqlParameter<long[]> { TypedValue = numbers });
        var rows = new List<DerivedRow>();
        await using var row = await command.ExecuteReaderAsync(cancel).ConfigureAwait(false);
        while (await row.ReadAsync(cancel).ConfigureAwait(false))
            rows.Add(new(row.GetInt64(0), row.GetString(1), row.GetString(2)));
        return rows;
    }
}

/// <summary>Those that there are.</summary>
internal static class DerivedTables
{
    // Of a row that says that it has all of the text: there is nothing that it may leave out.
    private const int AllOfIt = 1 << 30;

    public static readonly IReadOnlyList<DerivedTable> All =
    [
        // Of another version: it is made again when it is asked for.
        new("message_summary", "message_summary", "number",
            $"select number, jsonb_build_object('number', number)::text, encode(data, 'hex') from message_summary where number = any($1) and case when octet_length(data) > 0 then get_byte(data, 0) = {MessageSummary.Version} end",
            async (content, cancel) => Convert.ToHexStringLower((await MessageSummaries.SummaryOfAsync(content, cancel).ConfigureAwait(false)).Data)),
        new("message_preview", "message_preview", "number",
            $"select number, jsonb_build_object('number', number)::text, text from message_preview where number = any($1) and version = {MessagePreviews.Version}",
            async (content, cancel) => await MessagePreviews.TextOfAsync(
                content, await MessageSummaries.SummaryOfAsync(content, cancel).ConfigureAwait(false), cancel).ConfigureAwait(false)),
        // Content 0 is no content, but says that an account has all its rows.
        new("maildrop_form", "maildrop_form", "content",
            """
            select content, jsonb_build_object('tenant_id', tenant_id, 'content', content)::text, concat_ws(' ', octets, coalesce(ascii_octets::text, 'none'), internationalized::int)
            from maildrop_form where content = any($1)
            """,
            async (content, cancel) => ValueOf(await MaildropFormProjection.FormOfAsync(content, cancel).ConfigureAwait(false) ?? new(content.Size, content.Size, false))),
        new(SearchTextProjection.ProjectionName, SearchTextTable.Name, "number",
            $"select number, jsonb_build_object('number', number)::text, header || E'\\n\\n' || body from {SearchTextTable.Name} where number = any($1) and complete",
            async (content, cancel) =>
            {
                var text = await SearchTextProjection.TextOfAsync(content, AllOfIt, cancel).ConfigureAwait(false);
                return $"{text.Header}\n\n{text.Body}";
            }),
    ];

    private static string ValueOf(MaildropForm form) => string.Create(
        System.Globalization.CultureInfo.InvariantCulture, $"{form.Octets} {form.AsciiOctets?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "none"} {(form.IsInternationalized ? 1 : 0)}");
}
