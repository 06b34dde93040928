using System.Globalization;
using System.Reflection;

namespace EventMail.Host.Configuration;

/// <summary>A setting's value, from text and back.</summary>
internal static class SettingValue
{
    /// <summary>Null and a fault when the text is no such value.</summary>
    public static object? Read(PropertyInfo property, Type type, string key, string text, List<string> faults)
    {
        switch (type)
        {
            case var _ when type == typeof(string):
                if (property.GetCustomAttribute<OneOfAttribute>() is not { } words)
                    return text;
                if (words.Words.FirstOrDefault(word => word.Equals(text, StringComparison.OrdinalIgnoreCase)) is { } known)
                    return known;
                return Fault($"write one of {string.Join(", ", words.Words)}");
            case var _ when type == typeof(bool):
                return bool.TryParse(text, out var flag) ? flag : Fault("write true or false");
            case var _ when type == typeof(Port):
                return Port.TryParse(text, out var port) ? port : Fault("write a port number, 0 for any free one, or off");
            case var _ when type == typeof(TimeSpan):
                return Units.TryParseDuration(text, out var duration) ? duration : Fault("write a time such as 30s, 5min or 1h30min");
            case var _ when type == typeof(Durations):
                return Durations.TryParse(text, out var durations) ? durations : Fault("write times one behind the other such as 5min 15min 1h");
            case { IsEnum: true }:
                return Enum.TryParse(type, text, ignoreCase: true, out var named) && Enum.IsDefined(type, named!)
                    ? named
                    : Fault($"write one of {string.Join(", ", Enum.GetNames(type))}");
            default:
                var isSize = property.GetCustomAttribute<BytesAttribute>() is not null;
                if (!(isSize ? Units.TryParseSize(text, out var number) : long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out number)))
                    return Fault(isSize ? "write a size such as 4096, 64KiB or 50MiB" : "write a whole number");
                var range = property.GetCustomAttribute<RangeAttribute>();
                var most = Math.Min(range?.Most ?? long.MaxValue, type == typeof(int) ? int.MaxValue : long.MaxValue);
                if (number < (range?.Least ?? long.MinValue))
                    return Fault($"it must be {range!.Least} or more");
                if (number > most)
                    return Fault($"it must be {most} or less");
                return Convert.ChangeType(number, type, CultureInfo.InvariantCulture);
        }

        object? Fault(string advice)
        {
            var shown = property.GetCustomAttribute<SecretAttribute>() is null ? $"'{text}'" : "not valid";
            faults.Add($"{key} is {shown}: {advice}.");
            return null;
        }
    }

    public static string Write(PropertyInfo property, object? value) => value switch
    {
        null => "",
        TimeSpan duration => Units.Write(duration),
        bool flag => flag ? "true" : "false",
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString() ?? "",
    };
}
