using System.Net.Sockets;

namespace EventMail.Host.Tests;

/// <summary>Skipped where the machine has no IPv6.</summary>
public sealed class IPv6FactAttribute : FactAttribute
{
    public IPv6FactAttribute() => Skip = Socket.OSSupportsIPv6 ? null : "there is no IPv6 here";
}

/// <summary>Needs root: to be root, or to become someone else.</summary>
public sealed class RootFactAttribute : FactAttribute
{
    public RootFactAttribute() => Skip = Environment.UserName == "root" ? null : "needs root";
}
