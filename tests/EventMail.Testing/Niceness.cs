using System.Globalization;

namespace EventMail.Testing;

/// <summary>The priority of threads on Linux.</summary>
public static class Niceness
{
    /// <param name="thread">Its folder below /proc, or its process's for that of the first thread.</param>
    /// <exception cref="IOException">It has ended.</exception>
    public static int Of(string thread)
    {
        // proc(5): the nineteenth field; the second is a name in parentheses.
        var stat = File.ReadAllText(Path.Combine(thread, "stat"));
        return int.Parse(stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[16], CultureInfo.InvariantCulture);
    }
}
