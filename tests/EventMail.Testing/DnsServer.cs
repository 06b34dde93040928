using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace EventMail.Testing;

/// <summary>A zone of a test.</summary>
/// <param name="Name">`example.test`; `.` for the root.</param>
/// <param name="Text">Records as in a zone file, names relative to the zone: `@ MX 10 mx`. SOA and NS are added where there is no SOA.</param>
public sealed record DnsZone(string Name, string Text)
{
    /// <summary>Signed with a key made for it, which the server trusts: answers from it are authentic. Needs bind9-utils.</summary>
    public bool IsSigned { get; init; }

    /// <summary>Changes the zone's text once it is signed: its answers are bogus where that broke a signature.</summary>
    public Func<string, string>? Tamper { get; init; }

    /// <summary>Every question about it is answered with SERVFAIL.</summary>
    public static DnsZone Failing(string name) => new(name, "") { IsFailing = true };

    internal bool IsFailing { get; private init; }
}

/// <summary>
/// A real resolver (unbound) on a random loopback port, UDP and TCP, that knows the zones it is given and of no others: NXDOMAIN. Of
/// signed ones it validates the answers. Use <see cref="Missing"/> to skip a test where it is not installed.
/// </summary>
public sealed class DnsServer : IAsyncDisposable
{
    // The server ends, and its folder goes, when the pipe that only this process holds is closed: also when this process is killed.
    private const string Script =
        """
        folder=$1; shift
        "$@" </dev/null >"$folder/log" 2>&1 &
        echo $!
        cat >/dev/null
        kill $!
        wait
        rm -rf "$folder"
        """;

    // RFC 2606 names and private addresses are ordinary ones here.
    private static readonly string[] Ordinary = ["test.", "invalid.", "127.in-addr.arpa.", "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa."];

    private static readonly TimeSpan StartTimeout = Waiting.Limit;

    private readonly string _folder = Watchdog.NewFolder() + "-dns";
    private Process? _guard;
    private int _processId;
    private int _generation;

    private DnsServer(int port) => EndPoint = new(IPAddress.Loopback, port);

    public IPEndPoint EndPoint { get; }

    /// <summary>As `Dns:Servers` takes it.</summary>
    public string Setting => EndPoint.ToString();

    /// <summary>Why it cannot be started here; null when it can.</summary>
    public static string? Missing { get; } = MissingOf("unbound");

    /// <summary>The same for signed zones.</summary>
    public static string? MissingForSigned { get; } = MissingOf("unbound", "dnssec-keygen", "dnssec-signzone");

    public static Task<DnsServer> StartAsync(string zone, string text) => StartAsync(new DnsZone(zone, text));

    public static async Task<DnsServer> StartAsync(params DnsZone[] zones)
    {
        var server = new DnsServer(TestPort.Free());
        try
        {
            await server.StartServerAsync(zones);
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>From now on these are its zones, and what it remembered is forgotten.</summary>
    public async Task ReplaceAsync(params DnsZone[] zones)
    {
        await WriteAsync(zones);
        await RunAsync("kill", "-HUP", $"{_processId}");
        // The signal is taken between two answers; the mark of this configuration tells when.
        await WaitAsync(Mark(_generation));
    }

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _guard, null) is not { } guard)
            return;
        guard.StandardInput.Close();
        try
        {
            await guard.WaitForExitAsync().InTime("the end of unbound");
        }
        finally
        {
            guard.Kill(entireProcessTree: true);
            guard.Dispose();
        }
    }

    private static string Mark(int generation) => $"generation-{generation}.eventmail.invalid.";

    private async Task StartServerAsync(DnsZone[] zones)
    {
        Directory.CreateDirectory(_folder);
        await WriteAsync(zones);
        var start = new ProcessStartInfo("setsid", ["sh", "-c", Script, "eventmail-test-dns", _folder, "unbound", "-d", "-p", "-c", Path.Combine(_folder, "unbound.conf")])
        {
            WorkingDirectory = "/",
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["PATH"] += ":/usr/sbin:/sbin";
        _guard = Process.Start(start)!;
        _processId = int.Parse((await _guard.StandardOutput.ReadLineAsync().InTime())!);
        await WaitAsync(Mark(_generation));
    }

    private async Task WriteAsync(DnsZone[] zones)
    {
        var text = new StringBuilder(
            $"""
            server:
              interface: {EndPoint.Address}@{EndPoint.Port}
              port: {EndPoint.Port}
              username: ""
              chroot: ""
              directory: "{_folder}"
              pidfile: ""
              do-daemonize: no
              use-syslog: no
              num-threads: 1
              msg-cache-size: 1m
              rrset-cache-size: 1m
              module-config: "validator iterator"
              unblock-lan-zones: yes
              insecure-lan-zones: yes
              ede: yes
              local-zone: "eventmail.invalid." static
              local-data: "{Mark(++_generation)} 0 IN TXT here"

            """);
        foreach (var name in Ordinary)
            text.Append($"  local-zone: \"{name}\" nodefault\n");
        var clauses = new StringBuilder("remote-control:\n  control-enable: no\n");
        foreach (var zone in zones.Any(zone => zone.Name == ".") ? zones : [.. zones, new(".", "")])
        {
            if (zone.IsFailing)
            {
                // Queries to this machine are refused by default: there is nobody to ask.
                clauses.Append($"stub-zone:\n  name: \"{zone.Name}\"\n  stub-addr: 127.0.0.1@1\n");
                continue;
            }
            var (file, anchor) = await new DnsZoneFile(_folder, zone).WriteAsync();
            if (anchor is not null)
                text.Append($"  trust-anchor-file: \"{anchor}\"\n");
            clauses.Append($"auth-zone:\n  name: \"{zone.Name}\"\n  zonefile: \"{file}\"\n  for-upstream: yes\n  for-downstream: no\n  fallback-enabled: no\n");
        }
        await File.WriteAllTextAsync(Path.Combine(_folder, "unbound.conf"), text.Append(clauses).ToString());
    }

    // Asks until the mark is there.
    private async Task WaitAsync(string name)
    {
        byte[] query = [0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, .. name.Split('.').SelectMany(label => (byte[])[(byte)label.Length, .. Encoding.ASCII.GetBytes(label)]), 0, 16, 0, 1];
        var answer = new byte[512];
        var began = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(began) < StartTimeout)
        {
            using var udp = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
            using var patience = new CancellationTokenSource(TimeSpan.FromMilliseconds(500));
            try
            {
                await udp.ConnectAsync(EndPoint);
                await udp.SendAsync(query, patience.Token);
                var length = await udp.ReceiveAsync(answer, patience.Token);
                // A record in the answer.
                if (length > 12 && answer[7] == 1)
                    return;
            }
            catch (Exception error) when (error is SocketException or OperationCanceledException)
            {
                // Not listening yet.
            }
            await Task.Delay(10);
        }
        throw new InvalidOperationException($"unbound does not answer:\n{await File.ReadAllTextAsync(Path.Combine(_folder, "log"))}");
    }

    internal static async Task RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = await process.StandardError.ReadToEndAsync().InTime(program);
        await process.WaitForExitAsync().InTime(program);
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"{program} {string.Join(' ', arguments)} ended with {process.ExitCode}:\n{error}{await output}");
    }

    private static string? MissingOf(params string[] programs)
    {
        var folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Concat(["/usr/sbin", "/sbin"]).ToList();
        var missing = programs.Where(program => !folders.Any(folder => File.Exists(Path.Combine(folder, program)))).ToList();
        return missing.Count > 0 ? $"Not installed: {string.Join(", ", missing)}" : null;
    }
}
