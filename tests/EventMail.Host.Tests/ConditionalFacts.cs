using System.Diagnostics;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using EventMail.Testing;

namespace EventMail.Host.Tests;

/// <summary>Skipped where the machine has no IPv6.</summary>
public sealed class IPv6FactAttribute : FactAttribute
{
    public IPv6FactAttribute() => Skip = Socket.OSSupportsIPv6 ? null : "there is no IPv6 here";
}

/// <summary>Needs the GNU C library.</summary>
public sealed class GlibcFactAttribute : FactAttribute
{
    public GlibcFactAttribute() => Skip = OperatingSystem.IsLinux() && !RuntimeInformation.RuntimeIdentifier.Contains("musl", StringComparison.Ordinal)
        ? null
        : "the C library is not glibc";
}

/// <summary>Needs root: to be root, or to become someone else.</summary>
public sealed class RootFactAttribute : FactAttribute
{
    public RootFactAttribute() => Skip = Environment.UserName == "root" ? null : "needs root";
}

/// <summary>Needs to mount a file system: root, and a container that lets it.</summary>
public sealed class MountFactAttribute : FactAttribute
{
    private static readonly Lazy<bool> CanMount = new(Try);

    public MountFactAttribute() => Skip = CanMount.Value ? null : "may not mount a tmpfs";

    private static bool Try()
    {
        if (Environment.UserName != "root")
            return false;
        var folder = Directory.CreateTempSubdirectory("eventmail-mount-");
        var mounted = Run("mount", "-t", "tmpfs", "none", folder.FullName);
        if (mounted)
            Run("umount", folder.FullName);
        folder.Delete();
        return mounted;
    }

    private static bool Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        process.WaitForExit();
        return process.ExitCode == 0;
    }
}

/// <summary>Needs an address of this machine's other than loopback.</summary>
public sealed class OwnAddressTheoryAttribute : TheoryAttribute
{
    public OwnAddressTheoryAttribute() => Skip = Own is null ? "the machine has no address but loopback" : null;

    public static IPAddress? Own { get; } = NetworkInterface.GetAllNetworkInterfaces()
        .Where(network => network.OperationalStatus == OperationalStatus.Up)
        .SelectMany(network => network.GetIPProperties().UnicastAddresses)
        .Select(unicast => unicast.Address)
        .FirstOrDefault(address => address.AddressFamily == AddressFamily.InterNetwork && !IPAddress.IsLoopback(address));
}

/// <summary>Needs a real DNS server; skipped, and counted so, where none is installed.</summary>
public sealed class DnsFactAttribute : FactAttribute
{
    public DnsFactAttribute() => Skip = DnsServer.Missing;
}

/// <summary>The same with signed zones.</summary>
public sealed class SignedDnsFactAttribute : FactAttribute
{
    public SignedDnsFactAttribute() => Skip = DnsServer.MissingForSigned;
}

/// <summary>Needs python3 and openssl.</summary>
public sealed class OpenSslFactAttribute : FactAttribute
{
    public OpenSslFactAttribute() => Skip = ((string[])["python3", "openssl"]).FirstOrDefault(program =>
        Environment.GetEnvironmentVariable("PATH")!.Split(':').All(folder => !File.Exists(Path.Combine(folder, program)))) is { } missing
        ? $"{missing} is not installed" : null;
}
