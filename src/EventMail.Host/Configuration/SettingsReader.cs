using System.Collections;
using Microsoft.Extensions.Configuration;

namespace EventMail.Host.Configuration;

/// <summary>
/// Turns configuration into <see cref="HostSettings"/>. Unlike the framework's binder it names every fault at once, with advice,
/// and takes no key that does not exist: a misspelt limit must not leave the default in force.
/// </summary>
internal static class SettingsReader
{
    public static HostSettings Read(IConfiguration configuration)
    {
        var faults = new List<string>();
        var settings = new HostSettings();
        ReadSection(settings, configuration, "", faults);
        return faults.Count == 0 ? settings : throw new SettingsException(faults);
    }

    private static void ReadSection(object section, IConfiguration configuration, string prefix, List<string> faults)
    {
        var properties = SettingsTable.PropertiesOf(section.GetType()).ToDictionary(property => property.Name, StringComparer.OrdinalIgnoreCase);
        foreach (var child in configuration.GetChildren())
        {
            if (!properties.TryGetValue(child.Key, out var property))
            {
                foreach (var unknown in Leaves(child))
                    faults.Add(Unknown(prefix, unknown));
                continue;
            }

            var key = prefix + property.Name;
            if (SettingsTable.NamedValues(property.PropertyType) is { } held)
            {
                var named = (IDictionary)Activator.CreateInstance(typeof(Dictionary<,>).MakeGenericType(typeof(string), held))!;
                foreach (var entry in child.GetChildren())
                {
                    if (ReadValue(held, entry, $"{key}:{entry.Key}") is { } value)
                        named[entry.Key] = value;
                }
                property.SetValue(section, named);
            }
            else if (SettingsTable.IsSection(property.PropertyType))
            {
                ReadSection(property.GetValue(section)!, child, key + ":", faults);
                if (child.Value is { Length: > 0 })
                    faults.Add($"{key} is a section: set one of its keys, {string.Join(", ", SettingsTable.PropertiesOf(property.PropertyType).Select(inner => $"{key}:{inner.Name}"))}.");
            }
            else if (ReadValue(property.PropertyType, child, key) is { } value)
            {
                property.SetValue(section, value);
            }

            object? ReadValue(Type type, IConfigurationSection from, string name)
            {
                if (SettingsTable.IsSection(type))
                {
                    var inner = Activator.CreateInstance(type)!;
                    ReadSection(inner, from, name + ":", faults);
                    return inner;
                }
                foreach (var below in from.GetChildren().SelectMany(Leaves))
                    faults.Add($"{below.Path} does not exist: {name} is one value.");
                return from.Value is { } text ? SettingValue.Read(property, type, name, text, faults) : null;
            }
        }
    }

    private static IEnumerable<IConfigurationSection> Leaves(IConfigurationSection section)
    {
        var children = section.GetChildren().ToList();
        return children.Count == 0 ? [section] : children.SelectMany(Leaves);
    }

    private static string Unknown(string prefix, IConfigurationSection unknown)
    {
        var advice = SettingsTable.Nearest(unknown.Path) is { } near
            ? $"did you mean {near}?"
            : prefix.Length > 0 ? $"there is no such key in {prefix.TrimEnd(':')}." : "`eventmail config show` lists all keys.";
        return $"There is no setting {unknown.Path}; {advice}";
    }
}
