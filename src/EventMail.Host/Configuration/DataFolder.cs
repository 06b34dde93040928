namespace EventMail.Host.Configuration;

public static class DataFolder
{
    /// <summary>/var/lib/eventmail for root, else `eventmail` in the XDG data folder (~/.local/share). Empty when there is no home.</summary>
    public static string Default
    {
        get
        {
            if (Environment.UserName == "root")
                return "/var/lib/eventmail";
            if (Environment.GetEnvironmentVariable("XDG_DATA_HOME") is { Length: > 0 } xdg && Path.IsPathRooted(xdg))
                return Path.Combine(xdg, "eventmail");
            return Environment.GetEnvironmentVariable("HOME") is { Length: > 0 } home
                ? Path.Combine(home, ".local", "share", "eventmail")
                : "";
        }
    }
}
