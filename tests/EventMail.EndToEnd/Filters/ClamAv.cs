using System.Net.Sockets;
using System.Text;

namespace EventMail.EndToEnd.Filters;

/// <summary>A real clamd that knows one virus, made for these tests, and ClamAV's milter before it.</summary>
internal sealed class ClamAv : IAsyncDisposable
{
    public const string Virus = "EventMail's virus for tests, of no harm to anybody";

    private readonly FilterProgram _daemon;
    private readonly FilterProgram _milter;

    private ClamAv(FilterProgram daemon, FilterProgram milter) => (_daemon, _milter) = (daemon, milter);

    /// <summary>As `Filters:Milters` takes it.</summary>
    public string Address => $"unix:{_milter.Folder}/socket";

    public static async Task<ClamAv> StartAsync()
    {
        var daemon = await FilterProgram.StartAsync(PrepareDaemonAsync, IsListeningAsync);
        try
        {
            return new(daemon, await FilterProgram.StartAsync(folder => PrepareMilterAsync(folder, $"{daemon.Folder}/socket"), IsListeningAsync));
        }
        catch
        {
            await daemon.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _milter.DisposeAsync();
        await _daemon.DisposeAsync();
    }

    private static async Task<string[]> PrepareDaemonAsync(string folder)
    {
        // Name, any type of file, any offset, octets.
        var signature = $"Tests.Virus:0:*:{Convert.ToHexStringLower(Encoding.ASCII.GetBytes(Virus))}\n";
        await File.WriteAllTextAsync(Path.Combine(Directory.CreateDirectory(Path.Combine(folder, "signatures")).FullName, "tests.ndb"), signature);
        await File.WriteAllTextAsync(
            Path.Combine(folder, "conf"),
            $"""
            Foreground yes
            LocalSocket {folder}/socket
            DatabaseDirectory {folder}/signatures
            TemporaryDirectory {folder}
            MaxThreads 2

            """);
        return ["clamd", "-c", Path.Combine(folder, "conf")];
    }

    private static async Task<string[]> PrepareMilterAsync(string folder, string daemon)
    {
        await File.WriteAllTextAsync(
            Path.Combine(folder, "conf"),
            $"""
            Foreground yes
            MilterSocket unix:{folder}/socket
            ClamdSocket unix:{daemon}
            TemporaryDirectory {folder}
            OnInfected Reject
            OnFail Defer
            RejectMsg virus found: %v
            AddHeader Replace

            """);
        return ["clamav-milter", "-c", Path.Combine(folder, "conf")];
    }

    private static async Task<bool> IsListeningAsync(string folder)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(Path.Combine(folder, "socket")));
        return true;
    }
}
