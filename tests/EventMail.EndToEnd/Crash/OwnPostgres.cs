using System.Diagnostics;
using System.Globalization;

namespace EventMail.EndToEnd.Crash;

/// <summary>The PostgreSQL that a server runs in its data folder.</summary>
internal static class OwnPostgres
{
    /// <summary>The postmaster's, as it has written it down; null: there is none at the moment.</summary>
    public static int? ProcessId(string dataFolder)
    {
        try
        {
            var first = File.ReadLines(Path.Combine(dataFolder, "postgres/data/postmaster.pid")).FirstOrDefault();
            return int.TryParse(first, CultureInfo.InvariantCulture, out var number) ? number : null;
        }
        catch (FileNotFoundException)
        {
            return null;
        }
    }

    /// <summary>To the postmaster; its children see it end and end themselves. False: there is none at the moment.</summary>
    /// <param name="signal">KILL, or QUIT: an immediate shutdown.</param>
    public static bool Signal(string dataFolder, string signal)
    {
        if (ProcessId(dataFolder) is not { } number)
        {
            return false;
        }

        try
        {
            using var postmaster = Process.GetProcessById(number);
            // The number may be someone else's by now.
            if (postmaster.ProcessName != "postgres")
            {
                return false;
            }

            using var kill = Process.Start("kill", [$"-{signal}", number.ToString(CultureInfo.InvariantCulture)]);
            kill.WaitForExit();
            return kill.ExitCode == 0;
        }
        catch (Exception error) when (error is ArgumentException or InvalidOperationException)
        {
            return false;
        }
    }
}
