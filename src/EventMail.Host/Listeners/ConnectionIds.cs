using System.Security.Cryptography;

namespace EventMail.Host.Listeners;

/// <summary>Names of connections: short, unique over restarts and nodes, and in the order of their making within a process.</summary>
internal static class ConnectionIds
{
    private static readonly string Process = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4));
    private static long s_last;

    public static string Next() => $"{Process}-{Interlocked.Increment(ref s_last):x}";
}
