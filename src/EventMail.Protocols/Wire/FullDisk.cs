using System.Data.Common;

namespace EventMail.Protocols.Wire;

/// <summary>A store that has no room left: what was to be kept is not, and may be sent again once there is some.</summary>
internal static class FullDisk
{
    // PostgreSQL's disk_full.
    private const string SqlState = "53100";

    // ENOSPC and EDQUOT, as .NET tells them on Unix.
    private const int NoSpace = 28;
    private const int OverDiskQuota = 122;

    public static bool IsTold(Exception error) => error is DbException { SqlState: SqlState } or IOException { HResult: NoSpace or OverDiskQuota };
}
