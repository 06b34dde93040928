using System.Collections;
using System.Reflection;

namespace EventMail.Host.Configuration;

/// <summary>One key of the settings, as the properties of <see cref="HostSettings"/> declare it.</summary>
/// <param name="Key">`Imap:Port`; `*` stands for a name of the operator's choice.</param>
internal sealed record Setting(string Key, PropertyInfo Property)
{
    public bool IsSecret => Property.GetCustomAttribute<SecretAttribute>() is not null;
}

/// <summary>The settings as a flat table of keys.</summary>
internal static class SettingsTable
{
    public static IReadOnlyList<Setting> All { get; } = [.. Of(typeof(HostSettings), "")];

    /// <summary>The keys and values in effect, in the order of their declaration.</summary>
    public static IEnumerable<(Setting Setting, string Key, string Value)> Effective(HostSettings settings) => Values(settings, "");

    /// <summary>The known key that was probably meant.</summary>
    public static string? Nearest(string unknown)
    {
        var (key, distance) = All.Select(setting => (setting.Key, Distance(setting.Key, unknown))).MinBy(pair => pair.Item2);
        // `Port` alone, or a key of another section, is more likely meant by its last part.
        if (distance > Math.Max(2, unknown.Length / 3))
            key = All.Select(setting => setting.Key).FirstOrDefault(known => known.EndsWith(":" + unknown.Split(':')[^1], StringComparison.OrdinalIgnoreCase));
        return key;
    }

    /// <summary>Settings or a section of them: properties of its own, not one value.</summary>
    internal static bool IsSection(Type type) => type.IsClass && type != typeof(string) && type.Namespace?.StartsWith("EventMail", StringComparison.Ordinal) == true;

    /// <summary>The type of a dictionary's values; null when it is no dictionary.</summary>
    internal static Type? NamedValues(Type type) =>
        type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IReadOnlyDictionary<,>) ? type.GetGenericArguments()[1] : null;

    internal static IEnumerable<PropertyInfo> PropertiesOf(Type type) =>
        type.GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(property => property.CanWrite)
            // The base record's first: Port before MaxRecipients.
            .OrderBy(property => property.DeclaringType == type ? 1 : 0);

    private static IEnumerable<Setting> Of(Type type, string prefix)
    {
        foreach (var property in PropertiesOf(type))
        {
            var key = prefix + property.Name;
            var (held, name) = NamedValues(property.PropertyType) is { } value ? (value, key + ":*") : (property.PropertyType, key);
            if (!IsSection(held))
            {
                yield return new(name, property);
                continue;
            }
            foreach (var inner in Of(held, name + ":"))
                yield return inner;
        }
    }

    private static IEnumerable<(Setting, string, string)> Values(object section, string prefix)
    {
        foreach (var property in PropertiesOf(section.GetType()))
        {
            var key = prefix + property.Name;
            var value = property.GetValue(section);
            if (value is IDictionary named)
            {
                foreach (DictionaryEntry entry in named)
                {
                    foreach (var inner in Value(property, $"{key}:{entry.Key}", entry.Value))
                        yield return inner;
                }
                continue;
            }
            foreach (var inner in Value(property, key, value))
                yield return inner;
        }
    }

    private static IEnumerable<(Setting, string, string)> Value(PropertyInfo property, string key, object? value) =>
        value is not null && IsSection(value.GetType())
            ? Values(value, key + ":")
            : [(new Setting(key, property), key, SettingValue.Write(property, value))];

    // Levenshtein, in one row.
    private static int Distance(string a, string b)
    {
        var row = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var above = row[j];
                var same = char.ToLowerInvariant(a[i - 1]) == char.ToLowerInvariant(b[j - 1]);
                row[j] = Math.Min(Math.Min(row[j - 1], above) + 1, diagonal + (same ? 0 : 1));
                diagonal = above;
            }
        }
        return row[b.Length];
    }
}
