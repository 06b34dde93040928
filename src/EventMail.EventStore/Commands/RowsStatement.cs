using Npgsql;
using NpgsqlTypes;

namespace EventMail.EventStore;

/// <summary>
/// A statement on rows that come as parameters, a column each. Several are arrays in an unnest; one alone, which is what most batches
/// have, is a row of values: unnest makes a table of each of its arrays, and takes twice as long as the rest of the statement.
/// </summary>
public sealed class RowsStatement
{
    /// <summary>Stands in the text for the rows, which are called w.</summary>
    public const string Rows = "{rows}";

    private readonly string _one;
    private readonly string _many;

    /// <param name="sql">Its parameters that are no columns are numbered from behind these on.</param>
    /// <param name="columns">Names and types, in the order of the parameters.</param>
    public RowsStatement(string sql, params (string Name, string Type)[] columns)
    {
        string List(Func<(string Name, string Type), int, string> of) => string.Join(", ", columns.Select((column, i) => of(column, i + 1)));
        var names = List((column, _) => column.Name);
        _one = sql.Replace(Rows, $"(values ({List((column, n) => $"${n}::{column.Type}")})) as w ({names})");
        _many = sql.Replace(Rows, $"unnest({List((column, n) => $"${n}::{column.Type}[]")}) as w ({names})");
    }

    /// <summary>The statement for so many rows; the columns' parameters come first.</summary>
    public NpgsqlBatchCommand For(int rows, params ReadOnlySpan<NpgsqlParameter> parameters)
    {
        var command = new NpgsqlBatchCommand(rows == 1 ? _one : _many);
        foreach (var parameter in parameters)
            command.Parameters.Add(parameter);
        return command;
    }

    /// <param name="type">Where the column's is not what follows from <typeparamref name="TColumn"/>.</param>
    public static NpgsqlParameter Column<T, TColumn>(IReadOnlyList<T> rows, Func<T, TColumn> column, NpgsqlDbType? type = null)
    {
        if (rows.Count == 1)
            return Typed(new NpgsqlParameter<TColumn> { TypedValue = column(rows[0]) }, type);
        var values = new TColumn[rows.Count];
        for (var i = 0; i < values.Length; i++)
            values[i] = column(rows[i]);
        return Typed(new NpgsqlParameter<TColumn[]> { TypedValue = values }, type is { } element ? NpgsqlDbType.Array | element : null);
    }

    public static NpgsqlParameter Value<T>(T value) => new NpgsqlParameter<T> { TypedValue = value };

    private static NpgsqlParameter Typed(NpgsqlParameter parameter, NpgsqlDbType? type)
    {
        if (type is { } known)
            parameter.NpgsqlDbType = known;
        return parameter;
    }
}
