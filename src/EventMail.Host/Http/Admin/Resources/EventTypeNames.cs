using EventMail.EventStore;

namespace EventMail.Host.Http.Admin.Resources;

/// <summary>The parameter `types`: types of events, separated by commas.</summary>
internal static class EventTypeNames
{
    /// <param name="names">Null for all.</param>
    /// <returns>Why it cannot be; null where it can. A type that there is not would choose nothing, and nobody would know why.</returns>
    public static ApiAnswer? Read(string? text, EventTypeMap types, out IReadOnlyList<string>? names)
    {
        names = text?.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return names is [] ? ApiAnswer.BadParameter("types is empty")
            : names?.FirstOrDefault(name => !types.Aliases.Contains(name)) is { } unknown ? ApiAnswer.BadParameter($"{unknown} is no type of events; docs/events.md lists them")
            : null;
    }
}
