using System.Globalization;
using System.Text;

namespace EventMail.EndToEnd.Differential;

/// <summary>One form for what two servers may rightly say in two.</summary>
internal static class Normal
{
    public static string Item(string item, ImapValue value) => item switch
    {
        "FLAGS" => Sorted(value),
        "INTERNALDATE" => DateTimeOffset.ParseExact(value.Text.TrimStart(), "d-MMM-yyyy HH:mm:ss zzz", CultureInfo.InvariantCulture).UtcDateTime.ToString("s", CultureInfo.InvariantCulture),
        "MODSEQ" => "(n)",
        "SAVEDATE" => value.IsNil ? "NIL" : "date",
        "BODY" or "BODYSTRUCTURE" => Structure(value).ToString(),
        // RFC 8970 §3.1: how it is made is the server's own affair.
        "PREVIEW" => value.IsNil ? "NIL" : "text",
        _ => value.ToString(),
    };

    public static string Sorted(ImapValue list) =>
        $"({string.Join(' ', list.Items!.Select(item => item.Text).Order(StringComparer.OrdinalIgnoreCase))})";

    public static string Status(IReadOnlyList<ImapValue> items)
    {
        var pairs = new List<string>();
        for (var i = 0; i + 1 < items.Count; i += 2)
        {
            var name = items[i].Text.ToUpperInvariant();
            pairs.Add($"{name} {(name is "UIDVALIDITY" or "HIGHESTMODSEQ" or "MAILBOXID" ? "n" : items[i + 1])}");
        }

        return string.Join(' ', pairs.Order(StringComparer.Ordinal));
    }

    /// <summary>SEARCH's numbers come in any order (RFC 3501 §7.2.5); MODSEQ stands behind them (RFC 7162 §3.1.5).</summary>
    public static string Search(IEnumerable<ImapValue> values)
    {
        var all = values.ToList();
        var numbers = all.Where(value => value.Items is null).Select(value => uint.Parse(value.Text, CultureInfo.InvariantCulture)).Order();
        return string.Join(' ', numbers) + (all.Any(value => value.Items is not null) ? " (MODSEQ n)" : "");
    }

    /// <summary>ESEARCH (RFC 4731 §3.1): items by name, sets written out, tags and MODSEQ masked.</summary>
    /// <param name="ordered">Of SORT, where ALL has an order (RFC 5267 §3).</param>
    public static string Extended(IReadOnlyList<ImapValue> values, bool ordered)
    {
        var items = new List<string>();
        for (var i = 0; i < values.Count; i++)
        {
            if (values[i].Items is { } correlator)
            {
                items.Add($"({correlator[0]})");
            }
            else if (values[i].Text.Equals("UID", StringComparison.OrdinalIgnoreCase))
            {
                items.Add("UID");
            }
            else
            {
                var name = values[i++].Text.ToUpperInvariant();
                items.Add($"{name} {name switch { "ALL" => ordered ? string.Join(' ', Numbers(values[i].Text)) : Set(values[i].Text), "MODSEQ" => "n", _ => values[i].ToString() }}");
            }
        }

        return string.Join(' ', items.Order(StringComparer.Ordinal));
    }

    /// <summary>A set of numbers, each by itself.</summary>
    public static string Set(string set) => string.Join(' ', Numbers(set).Distinct().Order());

    private static IEnumerable<uint> Numbers(string set)
    {
        foreach (var range in set.Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            var ends = range.Split(':').Select(number => uint.Parse(number, CultureInfo.InvariantCulture)).ToList();
            for (long number = ends[0], step = ends[^1] < ends[0] ? -1 : 1; number != ends[^1] + step; number += step)
            {
                yield return (uint)number;
            }
        }
    }

    public static string Code(string name, string arguments) => name switch
    {
        "UIDVALIDITY" or "HIGHESTMODSEQ" => name + " n",
        "APPENDUID" => $"{name} n {Set(arguments.Split(' ')[1])}",
        "COPYUID" => $"{name} n {string.Join(" to ", arguments.Split(' ').Skip(1).Select(Set))}",
        "PERMANENTFLAGS" => $"{name} {Sorted(ImapValue.Parse(Encoding.Latin1.GetBytes(arguments))[0])}",
        "MODIFIED" => $"{name} {Set(arguments)}",
        _ when arguments.Length == 0 => name,
        _ => $"{name} {arguments}",
    };

    // RFC 2045 §5.1, §6.1, RFC 2183 §2: names of types, parameters and encodings mean the same in capitals.
    private static ImapValue Structure(ImapValue body)
    {
        if (body.Items is not { Count: > 0 } items)
        {
            return body;
        }

        var result = new List<ImapValue>();
        var parts = items.TakeWhile(item => item.Items is not null).Count();
        if (parts > 0)
        {
            result.AddRange(items.Take(parts).Select(Structure));
            result.Add(Capitals(items[parts]));
            result.AddRange(items.Skip(parts + 1).Select((item, index) => index switch { 0 => Parameters(item), 1 => Disposition(item), _ => item }));
            return ImapValue.List(result);
        }

        var isMessage = Is(items[0], "MESSAGE") && Is(items[1], "RFC822") && items.Count > 9;
        var isText = Is(items[0], "TEXT");
        var extension = isMessage ? 10 : isText ? 8 : 7;
        for (var i = 0; i < items.Count; i++)
        {
            result.Add(i switch
            {
                0 or 1 or 5 => Capitals(items[i]),
                2 => Parameters(items[i]),
                8 when isMessage => Structure(items[i]),
                _ when i == extension + 1 => Disposition(items[i]),
                _ => items[i],
            });
        }

        return ImapValue.List(result);
    }

    private static bool Is(ImapValue value, string text) => value.Text.Equals(text, StringComparison.OrdinalIgnoreCase);

    private static ImapValue Capitals(ImapValue value) => value.IsString ? ImapValue.String(value.Text.ToUpperInvariant()) : value;

    // Their order is not told apart by any RFC.
    private static ImapValue Parameters(ImapValue list)
    {
        if (list.Items is not { } items)
        {
            return list;
        }

        var pairs = new List<(ImapValue Name, ImapValue Value)>();
        for (var i = 0; i + 1 < items.Count; i += 2)
        {
            pairs.Add((Capitals(items[i]), items[i + 1]));
        }

        return ImapValue.List(pairs.OrderBy(pair => pair.Name.Text, StringComparer.Ordinal).SelectMany(pair => new[] { pair.Name, pair.Value }));
    }

    private static ImapValue Disposition(ImapValue value) =>
        value.Items is [var type, var parameters] ? ImapValue.List([Capitals(type), Parameters(parameters)]) : value;
}
