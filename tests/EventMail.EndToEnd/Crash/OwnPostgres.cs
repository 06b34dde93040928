using System.Diagnostics;
using System.Globalization;

namespace EventMail.EndToEnd.Crash;

/// <summary>The PostgreSQL that a server runs in its data folder.</summary>
internal static class OwnPostgres
{
    /// <summary>To the postmaster; its children see it end and end themselves. False: there is none at the moment.</summary>
    /// <param name="signal">KILL, or QUIT: an immediate shutdown.</param>
    public static bool Signal(string dataFolder, string signal)
    {
        try
        {
            var pidFile = Path.Combine(dataFolder, "postgres/data/postmaster.pid");
            var number = File.ReadLines(pidFile).First();
            using var postmaster = Process.GetProcessById(int.Parse(number, CultureInfo.InvariantCulture));
            // The number may be someone else's by now.
            if (postmaster.ProcessName != "postgres")
            {
                return false;
            }

            using var kill = Process.Start("kill", [$"-{signal}", number]);
            kill.WaitForExit();
            return kill.ExitCode == 0;
        }
        catch (Exception error) when (error is FileNotFoundException or ArgumentException or InvalidOperationException)
        {
            return false;
        }
    }
}
