namespace EventMail.Testing;

/// <summary>Where threads may run on Linux, as proc(5) lists processors: 0-1,3.</summary>
public static class ProcessorList
{
    private const string Field = "Cpus_allowed_list:\t";

    /// <param name="thread">Its folder below /proc, or its process's for that of the first thread.</param>
    /// <exception cref="IOException">It has ended.</exception>
    public static string Of(string thread) =>
        File.ReadLines(Path.Combine(thread, "status")).Single(line => line.StartsWith(Field, StringComparison.Ordinal))[Field.Length..];

    /// <summary>The one with the highest number.</summary>
    public static string LastOf(string list) => list.Split(',', '-')[^1];
}
