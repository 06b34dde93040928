namespace EventMail.EndToEnd.Differential;

/// <summary>The messages in <c>Differential/Messages</c>: what the corpus has too little of.</summary>
internal static class MadeMessages
{
    public static IReadOnlyDictionary<string, byte[]> All { get; } = new SortedDictionary<string, byte[]>(
        Directory.GetFiles(Path.Combine(AppContext.BaseDirectory, "Differential", "Messages")).ToDictionary(file => Path.GetFileName(file), File.ReadAllBytes),
        StringComparer.Ordinal);
}
